// Unit tests in jsdom. JupyterLab's packages are ES modules, so they are transformed as ours are.

const modules = [
  '@jupyter',
  '@jupyterlab',
  '@microsoft',
  '@rjsf',
  'exenv-es6',
  'lib0',
  'nanoid',
  'y-protocols',
  'y-websocket',
  'yjs'
];

module.exports = {
  testEnvironment: '<rootDir>/tests/support/environment.js',
  testEnvironmentOptions: { url: 'http://localhost:8888/base/lab' },
  roots: ['<rootDir>/tests'],
  testMatch: ['**/*.spec.ts', '**/*.spec.tsx'],
  moduleNameMapper: {
    '\\.(css|less)$': '<rootDir>/tests/support/emptymodule.js',
    '\\.svg$': '<rootDir>/tests/support/emptymodule.js'
  },
  transform: { '\\.[jt]sx?$': ['ts-jest', { tsconfig: 'tests/tsconfig.json', diagnostics: false }] },
  transformIgnorePatterns: [`/node_modules/(?!(${modules.join('|')})/)`],
  restoreMocks: true
};
