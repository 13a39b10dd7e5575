// A window that is opened inside the click and sent on later, when its address is known.

const SIZE = 'popup,width=520,height=720';

export class Popup {
  /** Opens a window at once, so construct it inside the click; `wanted` false is one that nobody asked for. */
  constructor(text: string, wanted = true) {
    this.popup = wanted ? window.open('', '', SIZE) : null;
    if (this.popup) {
      const { document } = this.popup;
      document.title = text;
      document.documentElement.style.cssText = 'color-scheme: light dark';
      document.body.style.cssText =
        'font: 16px system-ui, sans-serif; display: grid; place-items: center; height: 90vh';
      document.body.textContent = text;
    }
  }

  /** Send the window to `address`; returns whether there is one to send. */
  go(address: string): boolean {
    const { popup } = this;
    this.popup = null;
    if (!popup || popup.closed) {
      return false;
    }
    popup.opener = null; // from here on neither side has a hold on the other
    popup.location.replace(address);
    return true;
  }

  /** Close the window, unless it was sent on: then it closes itself when it is done. */
  close(): void {
    this.popup?.close();
    this.popup = null;
  }

  private popup: Window | null;
}
