// A window that is opened inside the click and sent on later, when its address is known.

const WINDOW_FEATURES = 'popup,width=520,height=720';

export class Popup {
  /** Opens a window at once, so construct it inside the click; with `open` false there is none. */
  constructor(text: string, open = true) {
    this.window = open ? window.open('', '', WINDOW_FEATURES) : null;
    if (this.window) {
      const { document } = this.window;
      document.title = text;
      document.documentElement.style.cssText = 'color-scheme: light dark';
      document.body.style.cssText =
        'font: 16px system-ui, sans-serif; display: grid; place-items: center; height: 90vh';
      document.body.textContent = text;
    }
  }

  /** Send the window to `address`; returns whether there is one to send. */
  navigate(address: string): boolean {
    const { window } = this;
    this.window = null;
    if (!window || window.closed) {
      return false;
    }
    window.opener = null; // from here on neither side has a hold on the other
    window.location.replace(address);
    return true;
  }

  /** Close the window, unless it was sent on: then it closes itself when it is done. */
  close(): void {
    this.window?.close();
    this.window = null;
  }

  private window: Window | null;
}
