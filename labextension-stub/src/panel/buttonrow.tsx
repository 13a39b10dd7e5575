// A row of buttons that change with the state. The focus stays in the row when its button goes away.

import * as React from 'react';

export interface IButton {
  /** Stays the same while the words on the button may change. */
  readonly id: string;
  readonly label: string;
  /** The accessible name and tooltip; begins with the label. */
  readonly name: string;
  readonly click: () => void;
  /** `quiet` is a button that looks like text. */
  readonly kind?: 'accept' | 'warn' | 'quiet';
  readonly disabled?: boolean;
}

export class ButtonRow extends React.Component<{ readonly buttons: readonly IButton[] }> {
  override getSnapshotBeforeUpdate(): boolean {
    return this.row.current?.contains(document.activeElement) ?? false;
  }

  override componentDidUpdate(_props: unknown, _state: unknown, hadFocus: boolean): void {
    const row = this.row.current;
    if (hadFocus && row && !row.contains(document.activeElement)) {
      row.querySelector('button')?.focus();
    }
  }

  override render(): React.ReactElement {
    return (
      <div className="jp-oidc-actions" ref={this.row}>
        {this.props.buttons.map(({ id, label, name, click, kind, disabled }) => (
          <button
            key={id}
            type="button"
            className={kind === 'quiet' ? 'jp-oidc-text-button' : `jp-mod-styled jp-mod-${kind ?? 'reject'}`}
            aria-label={name}
            aria-disabled={disabled ?? false}
            title={name}
            onClick={() => disabled || click()}
          >
            {label}
          </button>
        ))}
      </div>
    );
  }

  private readonly row = React.createRef<HTMLDivElement>();
}
