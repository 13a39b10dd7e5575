// What the provider remembers, in memory and without a limit: a test may look for anything it ever wrote.

const GRANTED = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode']);

/** Returns the storage of one provider: `adapter` is what the provider asks for, `revokeAccount` ends its grants. */
export function createStore() {
  const rows = new Map();

  const fresh = (key) => {
    const row = rows.get(key);
    return row && row.until > Date.now() ? row.payload : undefined;
  };

  const search = (model, field, value) => {
    for (const [key, row] of rows) {
      if (row.model === model && row.payload[field] === value) return fresh(key);
    }
    return undefined;
  };

  const revokeGrant = (model, grantId) => {
    for (const [key, row] of rows) {
      if (row.model === model && row.payload.grantId === grantId) rows.delete(key);
    }
  };

  const adapter = (model) => ({
    async upsert(id, payload, seconds) {
      const until = seconds === undefined ? Infinity : Date.now() + seconds * 1000;
      rows.set(`${model}:${id}`, { model, payload, until });
    },
    async find(id) {
      return fresh(`${model}:${id}`);
    },
    async findByUid(uid) {
      return search(model, 'uid', uid);
    },
    async findByUserCode(userCode) {
      return search(model, 'userCode', userCode);
    },
    async consume(id) {
      const payload = fresh(`${model}:${id}`);
      if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      rows.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      revokeGrant(model, grantId);
    },
  });

  const revokeAccount = (accountId) => {
    let ended = 0;
    for (const [key, row] of rows) {
      if (row.payload.accountId !== accountId) continue;
      if (row.model !== 'Grant' && row.model !== 'Session') continue;
      rows.delete(key);
      if (row.model !== 'Grant') continue;
      ended += 1;
      for (const model of GRANTED) revokeGrant(model, row.payload.jti);
    }
    return ended;
  };

  return { adapter, revokeAccount };
}
