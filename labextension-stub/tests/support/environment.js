// jsdom with what browsers have and jsdom lacks: Node's own fetch, and channels between tabs.

const { TestEnvironment } = require('jest-environment-jsdom');
const { TextDecoder, TextEncoder } = require('node:util');

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    const { Headers, Request, Response } = globalThis;
    const channels = (this.channels = new Set());
    const BroadcastChannel = class extends globalThis.BroadcastChannel {
      constructor(name) {
        super(name);
        channels.add(this);
      }
    };
    const { global } = this;
    Object.assign(global, { BroadcastChannel, Headers, Request, Response, TextDecoder, TextEncoder });
    Object.defineProperty(global.navigator, 'clipboard', { value: { writeText: async () => undefined } });
    global.fetch = () => Promise.reject(new TypeError('No test goes to the network.'));
    global.ClipboardItem = class {};
    global.DragEvent = class extends global.Event {};
    global.ResizeObserver = class {
      observe() {}
      unobserve() {}
      disconnect() {}
    };
    global.requestIdleCallback = callback => global.setTimeout(callback, 0);
    global.cancelIdleCallback = id => global.clearTimeout(id);
    global.matchMedia = () => ({ matches: false, addEventListener() {}, removeEventListener() {} });
    global.IS_REACT_ACT_ENVIRONMENT = false;
  }

  async teardown() {
    this.channels?.forEach(channel => channel.close()); // an open one keeps Node alive
    await super.teardown();
  }
};
