// jsdom with what browsers have and jsdom lacks: Node's own fetch, and channels between tabs.

const { TestEnvironment } = require('jest-environment-jsdom');

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    const { TextDecoder, TextEncoder } = require('node:util');
    const { BroadcastChannel, Headers, Request, Response } = globalThis;
    Object.assign(this.global, { BroadcastChannel, Headers, Request, Response, TextDecoder, TextEncoder });
    this.global.fetch = () => Promise.reject(new TypeError('No test goes to the network.'));
    Object.defineProperty(this.global.navigator, 'clipboard', { value: { writeText: async () => undefined } });
    this.global.ClipboardItem = class {};
    this.global.DragEvent = class extends this.global.Event {};
    this.global.ResizeObserver = class {
      observe() {}
      unobserve() {}
      disconnect() {}
    };
    this.global.requestIdleCallback = callback => this.global.setTimeout(callback, 0);
    this.global.cancelIdleCallback = id => this.global.clearTimeout(id);
    this.global.matchMedia = () => ({ matches: false, addEventListener() {}, removeEventListener() {} });
    this.global.IS_REACT_ACT_ENVIRONMENT = false;
  }
};
