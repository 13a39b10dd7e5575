// Generated from jupyter_oidc/contract by scripts/generate.mjs. Do not edit.
/* eslint-disable */
'use strict';
export const isApiList = validate10;
const schema11 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['apis'],
  properties: {
    apis: {
      type: 'array',
      items: {
        type: 'object',
        required: [
          'name',
          'provider',
          'path',
          'methods',
          'callers',
          'state',
          'readiness',
          'allowed',
          'missing',
          'title',
          'description',
          'example',
          'docs_url',
          'path_prefixes',
          'has_operations'
        ],
        properties: {
          name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
          provider: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
          path: { type: 'string', minLength: 1 },
          base_url: { type: 'string', minLength: 1 },
          methods: { type: 'array', items: { type: 'string' } },
          callers: { type: 'array', items: { type: 'string', enum: ['browser', 'kernel', 'other'] } },
          state: {
            type: 'string',
            enum: ['signed-out', 'signing-in', 'active', 'refresh-failed', 'signed-out-expired', 'other']
          },
          readiness: {
            type: 'string',
            enum: [
              'ready',
              'sign_in_needed',
              'expired',
              'renewal_delayed',
              'refused',
              'missing_entitlement',
              'unreachable',
              'other'
            ]
          },
          allowed: { type: 'boolean' },
          missing: { type: 'array', items: { type: 'string' } },
          title: { type: ['string', 'null'] },
          description: { type: ['string', 'null'] },
          example: { type: ['string', 'null'] },
          docs_url: { type: ['string', 'null'], pattern: '^https?://' },
          path_prefixes: { type: 'array', items: { type: 'string', pattern: '^/' } },
          has_operations: { type: 'boolean' }
        }
      }
    }
  }
};
const pattern0 = new RegExp('^[a-z0-9][a-z0-9_-]{0,62}$', 'u');
const pattern2 = new RegExp('^https?://', 'u');
const pattern3 = new RegExp('^/', 'u');
function validate10(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (data.apis === undefined && (missing0 = 'apis')) {
        validate10.errors = [0];
        return false;
      } else {
        if (data.apis !== undefined) {
          let data0 = data.apis;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (Array.isArray(data0)) {
              var valid1 = true;
              const len0 = data0.length;
              for (let i0 = 0; i0 < len0; i0++) {
                let data1 = data0[i0];
                const _errs3 = errors;
                if (errors === _errs3) {
                  if (data1 && typeof data1 == 'object' && !Array.isArray(data1)) {
                    let missing1;
                    if (
                      (data1.name === undefined && (missing1 = 'name')) ||
                      (data1.provider === undefined && (missing1 = 'provider')) ||
                      (data1.path === undefined && (missing1 = 'path')) ||
                      (data1.methods === undefined && (missing1 = 'methods')) ||
                      (data1.callers === undefined && (missing1 = 'callers')) ||
                      (data1.state === undefined && (missing1 = 'state')) ||
                      (data1.readiness === undefined && (missing1 = 'readiness')) ||
                      (data1.allowed === undefined && (missing1 = 'allowed')) ||
                      (data1.missing === undefined && (missing1 = 'missing')) ||
                      (data1.title === undefined && (missing1 = 'title')) ||
                      (data1.description === undefined && (missing1 = 'description')) ||
                      (data1.example === undefined && (missing1 = 'example')) ||
                      (data1.docs_url === undefined && (missing1 = 'docs_url')) ||
                      (data1.path_prefixes === undefined && (missing1 = 'path_prefixes')) ||
                      (data1.has_operations === undefined && (missing1 = 'has_operations'))
                    ) {
                      validate10.errors = [0];
                      return false;
                    } else {
                      if (data1.name !== undefined) {
                        let data2 = data1.name;
                        const _errs5 = errors;
                        if (errors === _errs5) {
                          if (typeof data2 === 'string') {
                            if (!pattern0.test(data2)) {
                              validate10.errors = [0];
                              return false;
                            }
                          } else {
                            validate10.errors = [0];
                            return false;
                          }
                        }
                        var valid2 = _errs5 === errors;
                      } else {
                        var valid2 = true;
                      }
                      if (valid2) {
                        if (data1.provider !== undefined) {
                          let data3 = data1.provider;
                          const _errs7 = errors;
                          if (errors === _errs7) {
                            if (typeof data3 === 'string') {
                              if (!pattern0.test(data3)) {
                                validate10.errors = [0];
                                return false;
                              }
                            } else {
                              validate10.errors = [0];
                              return false;
                            }
                          }
                          var valid2 = _errs7 === errors;
                        } else {
                          var valid2 = true;
                        }
                        if (valid2) {
                          if (data1.path !== undefined) {
                            let data4 = data1.path;
                            const _errs9 = errors;
                            if (errors === _errs9) {
                              if (typeof data4 === 'string') {
                                if (data4.length < 1) {
                                  validate10.errors = [0];
                                  return false;
                                }
                              } else {
                                validate10.errors = [0];
                                return false;
                              }
                            }
                            var valid2 = _errs9 === errors;
                          } else {
                            var valid2 = true;
                          }
                          if (valid2) {
                            if (data1.base_url !== undefined) {
                              let data5 = data1.base_url;
                              const _errs11 = errors;
                              if (errors === _errs11) {
                                if (typeof data5 === 'string') {
                                  if (data5.length < 1) {
                                    validate10.errors = [0];
                                    return false;
                                  }
                                } else {
                                  validate10.errors = [0];
                                  return false;
                                }
                              }
                              var valid2 = _errs11 === errors;
                            } else {
                              var valid2 = true;
                            }
                            if (valid2) {
                              if (data1.methods !== undefined) {
                                let data6 = data1.methods;
                                const _errs13 = errors;
                                if (errors === _errs13) {
                                  if (Array.isArray(data6)) {
                                    var valid3 = true;
                                    const len1 = data6.length;
                                    for (let i1 = 0; i1 < len1; i1++) {
                                      const _errs15 = errors;
                                      if (typeof data6[i1] !== 'string') {
                                        validate10.errors = [0];
                                        return false;
                                      }
                                      var valid3 = _errs15 === errors;
                                      if (!valid3) {
                                        break;
                                      }
                                    }
                                  } else {
                                    validate10.errors = [0];
                                    return false;
                                  }
                                }
                                var valid2 = _errs13 === errors;
                              } else {
                                var valid2 = true;
                              }
                              if (valid2) {
                                if (data1.callers !== undefined) {
                                  let data8 = data1.callers;
                                  const _errs17 = errors;
                                  if (errors === _errs17) {
                                    if (Array.isArray(data8)) {
                                      var valid4 = true;
                                      const len2 = data8.length;
                                      for (let i2 = 0; i2 < len2; i2++) {
                                        let data9 = data8[i2];
                                        const _errs19 = errors;
                                        if (typeof data9 !== 'string') {
                                          validate10.errors = [0];
                                          return false;
                                        }
                                        if (!(data9 === 'browser' || data9 === 'kernel' || data9 === 'other')) {
                                          validate10.errors = [0];
                                          return false;
                                        }
                                        var valid4 = _errs19 === errors;
                                        if (!valid4) {
                                          break;
                                        }
                                      }
                                    } else {
                                      validate10.errors = [0];
                                      return false;
                                    }
                                  }
                                  var valid2 = _errs17 === errors;
                                } else {
                                  var valid2 = true;
                                }
                                if (valid2) {
                                  if (data1.state !== undefined) {
                                    let data10 = data1.state;
                                    const _errs21 = errors;
                                    if (typeof data10 !== 'string') {
                                      validate10.errors = [0];
                                      return false;
                                    }
                                    if (!(
                                      data10 === 'signed-out' ||
                                      data10 === 'signing-in' ||
                                      data10 === 'active' ||
                                      data10 === 'refresh-failed' ||
                                      data10 === 'signed-out-expired' ||
                                      data10 === 'other'
                                    )) {
                                      validate10.errors = [0];
                                      return false;
                                    }
                                    var valid2 = _errs21 === errors;
                                  } else {
                                    var valid2 = true;
                                  }
                                  if (valid2) {
                                    if (data1.readiness !== undefined) {
                                      let data11 = data1.readiness;
                                      const _errs23 = errors;
                                      if (typeof data11 !== 'string') {
                                        validate10.errors = [0];
                                        return false;
                                      }
                                      if (!(
                                        data11 === 'ready' ||
                                        data11 === 'sign_in_needed' ||
                                        data11 === 'expired' ||
                                        data11 === 'renewal_delayed' ||
                                        data11 === 'refused' ||
                                        data11 === 'missing_entitlement' ||
                                        data11 === 'unreachable' ||
                                        data11 === 'other'
                                      )) {
                                        validate10.errors = [0];
                                        return false;
                                      }
                                      var valid2 = _errs23 === errors;
                                    } else {
                                      var valid2 = true;
                                    }
                                    if (valid2) {
                                      if (data1.allowed !== undefined) {
                                        const _errs25 = errors;
                                        if (typeof data1.allowed !== 'boolean') {
                                          validate10.errors = [0];
                                          return false;
                                        }
                                        var valid2 = _errs25 === errors;
                                      } else {
                                        var valid2 = true;
                                      }
                                      if (valid2) {
                                        if (data1.missing !== undefined) {
                                          let data13 = data1.missing;
                                          const _errs27 = errors;
                                          if (errors === _errs27) {
                                            if (Array.isArray(data13)) {
                                              var valid5 = true;
                                              const len3 = data13.length;
                                              for (let i3 = 0; i3 < len3; i3++) {
                                                const _errs29 = errors;
                                                if (typeof data13[i3] !== 'string') {
                                                  validate10.errors = [0];
                                                  return false;
                                                }
                                                var valid5 = _errs29 === errors;
                                                if (!valid5) {
                                                  break;
                                                }
                                              }
                                            } else {
                                              validate10.errors = [0];
                                              return false;
                                            }
                                          }
                                          var valid2 = _errs27 === errors;
                                        } else {
                                          var valid2 = true;
                                        }
                                        if (valid2) {
                                          if (data1.title !== undefined) {
                                            let data15 = data1.title;
                                            const _errs31 = errors;
                                            if (typeof data15 !== 'string' && data15 !== null) {
                                              validate10.errors = [0];
                                              return false;
                                            }
                                            var valid2 = _errs31 === errors;
                                          } else {
                                            var valid2 = true;
                                          }
                                          if (valid2) {
                                            if (data1.description !== undefined) {
                                              let data16 = data1.description;
                                              const _errs33 = errors;
                                              if (typeof data16 !== 'string' && data16 !== null) {
                                                validate10.errors = [0];
                                                return false;
                                              }
                                              var valid2 = _errs33 === errors;
                                            } else {
                                              var valid2 = true;
                                            }
                                            if (valid2) {
                                              if (data1.example !== undefined) {
                                                let data17 = data1.example;
                                                const _errs35 = errors;
                                                if (typeof data17 !== 'string' && data17 !== null) {
                                                  validate10.errors = [0];
                                                  return false;
                                                }
                                                var valid2 = _errs35 === errors;
                                              } else {
                                                var valid2 = true;
                                              }
                                              if (valid2) {
                                                if (data1.docs_url !== undefined) {
                                                  let data18 = data1.docs_url;
                                                  const _errs37 = errors;
                                                  if (typeof data18 !== 'string' && data18 !== null) {
                                                    validate10.errors = [0];
                                                    return false;
                                                  }
                                                  if (errors === _errs37) {
                                                    if (typeof data18 === 'string') {
                                                      if (!pattern2.test(data18)) {
                                                        validate10.errors = [0];
                                                        return false;
                                                      }
                                                    }
                                                  }
                                                  var valid2 = _errs37 === errors;
                                                } else {
                                                  var valid2 = true;
                                                }
                                                if (valid2) {
                                                  if (data1.path_prefixes !== undefined) {
                                                    let data19 = data1.path_prefixes;
                                                    const _errs39 = errors;
                                                    if (errors === _errs39) {
                                                      if (Array.isArray(data19)) {
                                                        var valid6 = true;
                                                        const len4 = data19.length;
                                                        for (let i4 = 0; i4 < len4; i4++) {
                                                          let data20 = data19[i4];
                                                          const _errs41 = errors;
                                                          if (errors === _errs41) {
                                                            if (typeof data20 === 'string') {
                                                              if (!pattern3.test(data20)) {
                                                                validate10.errors = [0];
                                                                return false;
                                                              }
                                                            } else {
                                                              validate10.errors = [0];
                                                              return false;
                                                            }
                                                          }
                                                          var valid6 = _errs41 === errors;
                                                          if (!valid6) {
                                                            break;
                                                          }
                                                        }
                                                      } else {
                                                        validate10.errors = [0];
                                                        return false;
                                                      }
                                                    }
                                                    var valid2 = _errs39 === errors;
                                                  } else {
                                                    var valid2 = true;
                                                  }
                                                  if (valid2) {
                                                    if (data1.has_operations !== undefined) {
                                                      const _errs43 = errors;
                                                      if (typeof data1.has_operations !== 'boolean') {
                                                        validate10.errors = [0];
                                                        return false;
                                                      }
                                                      var valid2 = _errs43 === errors;
                                                    } else {
                                                      var valid2 = true;
                                                    }
                                                  }
                                                }
                                              }
                                            }
                                          }
                                        }
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          }
                        }
                      }
                    }
                  } else {
                    validate10.errors = [0];
                    return false;
                  }
                }
                var valid1 = _errs3 === errors;
                if (!valid1) {
                  break;
                }
              }
            } else {
              validate10.errors = [0];
              return false;
            }
          }
        }
      }
    } else {
      validate10.errors = [0];
      return false;
    }
  }
  validate10.errors = vErrors;
  return errors === 0;
}
export const isCommandLease = validate11;
const schema12 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['expires_in'],
  properties: { expires_in: { type: 'integer', minimum: 0 } }
};
function validate11(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (data.expires_in === undefined && (missing0 = 'expires_in')) {
        validate11.errors = [0];
        return false;
      } else {
        if (data.expires_in !== undefined) {
          let data0 = data.expires_in;
          const _errs1 = errors;
          if (!(typeof data0 == 'number' && !(data0 % 1) && !isNaN(data0) && isFinite(data0))) {
            validate11.errors = [0];
            return false;
          }
          if (errors === _errs1) {
            if (typeof data0 == 'number' && isFinite(data0)) {
              if (data0 < 0 || isNaN(data0)) {
                validate11.errors = [0];
                return false;
              }
            }
          }
        }
      }
    } else {
      validate11.errors = [0];
      return false;
    }
  }
  validate11.errors = vErrors;
  return errors === 0;
}
export const isCommandBegun = validate12;
const schema13 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['command_id', 'key', 'expires_in'],
  properties: {
    command_id: { type: 'string', pattern: '^command-[A-Za-z0-9_-]{20,50}$' },
    key: { type: 'string', pattern: '^[A-Za-z0-9_-]{40,64}$' },
    expires_in: { type: 'integer', minimum: 1 }
  }
};
const pattern4 = new RegExp('^command-[A-Za-z0-9_-]{20,50}$', 'u');
const pattern5 = new RegExp('^[A-Za-z0-9_-]{40,64}$', 'u');
function validate12(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.command_id === undefined && (missing0 = 'command_id')) ||
        (data.key === undefined && (missing0 = 'key')) ||
        (data.expires_in === undefined && (missing0 = 'expires_in'))
      ) {
        validate12.errors = [0];
        return false;
      } else {
        if (data.command_id !== undefined) {
          let data0 = data.command_id;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (typeof data0 === 'string') {
              if (!pattern4.test(data0)) {
                validate12.errors = [0];
                return false;
              }
            } else {
              validate12.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.key !== undefined) {
            let data1 = data.key;
            const _errs3 = errors;
            if (errors === _errs3) {
              if (typeof data1 === 'string') {
                if (!pattern5.test(data1)) {
                  validate12.errors = [0];
                  return false;
                }
              } else {
                validate12.errors = [0];
                return false;
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.expires_in !== undefined) {
              let data2 = data.expires_in;
              const _errs5 = errors;
              if (!(typeof data2 == 'number' && !(data2 % 1) && !isNaN(data2) && isFinite(data2))) {
                validate12.errors = [0];
                return false;
              }
              if (errors === _errs5) {
                if (typeof data2 == 'number' && isFinite(data2)) {
                  if (data2 < 1 || isNaN(data2)) {
                    validate12.errors = [0];
                    return false;
                  }
                }
              }
              var valid0 = _errs5 === errors;
            } else {
              var valid0 = true;
            }
          }
        }
      }
    } else {
      validate12.errors = [0];
      return false;
    }
  }
  validate12.errors = vErrors;
  return errors === 0;
}
export const isDiagnostics = validate13;
const schema14 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['ok', 'checks'],
  properties: {
    ok: { type: 'boolean' },
    checks: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'provider', 'status', 'message', 'action', 'who'],
        properties: {
          name: { type: 'string', minLength: 1 },
          provider: { type: ['string', 'null'] },
          status: { type: 'string', enum: ['ok', 'warning', 'problem', 'unknown', 'other'] },
          message: { type: 'string', minLength: 1 },
          action: { type: ['string', 'null'] },
          who: { enum: ['user', 'administrator', 'provider', null, 'other'] }
        }
      }
    }
  }
};
function validate13(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if ((data.ok === undefined && (missing0 = 'ok')) || (data.checks === undefined && (missing0 = 'checks'))) {
        validate13.errors = [0];
        return false;
      } else {
        if (data.ok !== undefined) {
          const _errs1 = errors;
          if (typeof data.ok !== 'boolean') {
            validate13.errors = [0];
            return false;
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.checks !== undefined) {
            let data1 = data.checks;
            const _errs3 = errors;
            if (errors === _errs3) {
              if (Array.isArray(data1)) {
                var valid1 = true;
                const len0 = data1.length;
                for (let i0 = 0; i0 < len0; i0++) {
                  let data2 = data1[i0];
                  const _errs5 = errors;
                  if (errors === _errs5) {
                    if (data2 && typeof data2 == 'object' && !Array.isArray(data2)) {
                      let missing1;
                      if (
                        (data2.name === undefined && (missing1 = 'name')) ||
                        (data2.provider === undefined && (missing1 = 'provider')) ||
                        (data2.status === undefined && (missing1 = 'status')) ||
                        (data2.message === undefined && (missing1 = 'message')) ||
                        (data2.action === undefined && (missing1 = 'action')) ||
                        (data2.who === undefined && (missing1 = 'who'))
                      ) {
                        validate13.errors = [0];
                        return false;
                      } else {
                        if (data2.name !== undefined) {
                          let data3 = data2.name;
                          const _errs7 = errors;
                          if (errors === _errs7) {
                            if (typeof data3 === 'string') {
                              if (data3.length < 1) {
                                validate13.errors = [0];
                                return false;
                              }
                            } else {
                              validate13.errors = [0];
                              return false;
                            }
                          }
                          var valid2 = _errs7 === errors;
                        } else {
                          var valid2 = true;
                        }
                        if (valid2) {
                          if (data2.provider !== undefined) {
                            let data4 = data2.provider;
                            const _errs9 = errors;
                            if (typeof data4 !== 'string' && data4 !== null) {
                              validate13.errors = [0];
                              return false;
                            }
                            var valid2 = _errs9 === errors;
                          } else {
                            var valid2 = true;
                          }
                          if (valid2) {
                            if (data2.status !== undefined) {
                              let data5 = data2.status;
                              const _errs11 = errors;
                              if (typeof data5 !== 'string') {
                                validate13.errors = [0];
                                return false;
                              }
                              if (!(
                                data5 === 'ok' ||
                                data5 === 'warning' ||
                                data5 === 'problem' ||
                                data5 === 'unknown' ||
                                data5 === 'other'
                              )) {
                                validate13.errors = [0];
                                return false;
                              }
                              var valid2 = _errs11 === errors;
                            } else {
                              var valid2 = true;
                            }
                            if (valid2) {
                              if (data2.message !== undefined) {
                                let data6 = data2.message;
                                const _errs13 = errors;
                                if (errors === _errs13) {
                                  if (typeof data6 === 'string') {
                                    if (data6.length < 1) {
                                      validate13.errors = [0];
                                      return false;
                                    }
                                  } else {
                                    validate13.errors = [0];
                                    return false;
                                  }
                                }
                                var valid2 = _errs13 === errors;
                              } else {
                                var valid2 = true;
                              }
                              if (valid2) {
                                if (data2.action !== undefined) {
                                  let data7 = data2.action;
                                  const _errs15 = errors;
                                  if (typeof data7 !== 'string' && data7 !== null) {
                                    validate13.errors = [0];
                                    return false;
                                  }
                                  var valid2 = _errs15 === errors;
                                } else {
                                  var valid2 = true;
                                }
                                if (valid2) {
                                  if (data2.who !== undefined) {
                                    let data8 = data2.who;
                                    const _errs17 = errors;
                                    if (!(
                                      data8 === 'user' ||
                                      data8 === 'administrator' ||
                                      data8 === 'provider' ||
                                      data8 === null ||
                                      data8 === 'other'
                                    )) {
                                      validate13.errors = [0];
                                      return false;
                                    }
                                    var valid2 = _errs17 === errors;
                                  } else {
                                    var valid2 = true;
                                  }
                                }
                              }
                            }
                          }
                        }
                      }
                    } else {
                      validate13.errors = [0];
                      return false;
                    }
                  }
                  var valid1 = _errs5 === errors;
                  if (!valid1) {
                    break;
                  }
                }
              } else {
                validate13.errors = [0];
                return false;
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
        }
      }
    } else {
      validate13.errors = [0];
      return false;
    }
  }
  validate13.errors = vErrors;
  return errors === 0;
}
export const isOidcError = validate14;
const schema15 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: [
    'code',
    'message',
    'action',
    'retryable',
    'request_id',
    'reason',
    'type',
    'title',
    'status',
    'detail',
    'params'
  ],
  properties: {
    code: {
      type: 'string',
      enum: [
        'request_invalid',
        'bad_path',
        'bad_header',
        'state_invalid',
        'state_used',
        'response_malformed',
        'logout_token_invalid',
        'client_too_slow',
        'body_too_large',
        'headers_too_large',
        'sign_in_cancelled',
        'sign_in_declined',
        'sign_in_refused',
        'not_signed_in',
        'session_expired',
        'step_up_required',
        'grant_invalid',
        'csrf_failed',
        'forbidden',
        'route_forbidden',
        'caller_forbidden',
        'unknown_provider',
        'unknown_api',
        'no_operations',
        'unknown_flow',
        'method_not_allowed',
        'issuer_mismatch',
        'discovery_failed',
        'token_response_invalid',
        'id_token_rejected',
        'userinfo_rejected',
        'audience_refused',
        'clock_skew',
        'tls_untrusted',
        'egress_proxy_auth',
        'idp_unavailable',
        'upstream_unreachable',
        'upstream_protocol_error',
        'upstream_timeout',
        'openapi_invalid',
        'configuration_invalid',
        'storage_unavailable',
        'overloaded',
        'broker_unavailable',
        'other'
      ]
    },
    message: { type: 'string', minLength: 1 },
    action: { type: 'string', minLength: 1 },
    retryable: { type: 'boolean' },
    request_id: { type: 'string', pattern: '^[A-Za-z0-9_-]{8,64}$' },
    reason: { type: 'string', minLength: 1 },
    link: { type: 'string', pattern: '^https?://' },
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: ['integer', 'null'] },
    detail: { type: 'string' },
    params: { type: 'object', additionalProperties: { type: ['string', 'number', 'array'], items: { type: 'string' } } }
  }
};
const pattern6 = new RegExp('^[A-Za-z0-9_-]{8,64}$', 'u');
function validate14(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.code === undefined && (missing0 = 'code')) ||
        (data.message === undefined && (missing0 = 'message')) ||
        (data.action === undefined && (missing0 = 'action')) ||
        (data.retryable === undefined && (missing0 = 'retryable')) ||
        (data.request_id === undefined && (missing0 = 'request_id')) ||
        (data.reason === undefined && (missing0 = 'reason')) ||
        (data.type === undefined && (missing0 = 'type')) ||
        (data.title === undefined && (missing0 = 'title')) ||
        (data.status === undefined && (missing0 = 'status')) ||
        (data.detail === undefined && (missing0 = 'detail')) ||
        (data.params === undefined && (missing0 = 'params'))
      ) {
        validate14.errors = [0];
        return false;
      } else {
        if (data.code !== undefined) {
          let data0 = data.code;
          const _errs1 = errors;
          if (typeof data0 !== 'string') {
            validate14.errors = [0];
            return false;
          }
          if (!(
            data0 === 'request_invalid' ||
            data0 === 'bad_path' ||
            data0 === 'bad_header' ||
            data0 === 'state_invalid' ||
            data0 === 'state_used' ||
            data0 === 'response_malformed' ||
            data0 === 'logout_token_invalid' ||
            data0 === 'client_too_slow' ||
            data0 === 'body_too_large' ||
            data0 === 'headers_too_large' ||
            data0 === 'sign_in_cancelled' ||
            data0 === 'sign_in_declined' ||
            data0 === 'sign_in_refused' ||
            data0 === 'not_signed_in' ||
            data0 === 'session_expired' ||
            data0 === 'step_up_required' ||
            data0 === 'grant_invalid' ||
            data0 === 'csrf_failed' ||
            data0 === 'forbidden' ||
            data0 === 'route_forbidden' ||
            data0 === 'caller_forbidden' ||
            data0 === 'unknown_provider' ||
            data0 === 'unknown_api' ||
            data0 === 'no_operations' ||
            data0 === 'unknown_flow' ||
            data0 === 'method_not_allowed' ||
            data0 === 'issuer_mismatch' ||
            data0 === 'discovery_failed' ||
            data0 === 'token_response_invalid' ||
            data0 === 'id_token_rejected' ||
            data0 === 'userinfo_rejected' ||
            data0 === 'audience_refused' ||
            data0 === 'clock_skew' ||
            data0 === 'tls_untrusted' ||
            data0 === 'egress_proxy_auth' ||
            data0 === 'idp_unavailable' ||
            data0 === 'upstream_unreachable' ||
            data0 === 'upstream_protocol_error' ||
            data0 === 'upstream_timeout' ||
            data0 === 'openapi_invalid' ||
            data0 === 'configuration_invalid' ||
            data0 === 'storage_unavailable' ||
            data0 === 'overloaded' ||
            data0 === 'broker_unavailable' ||
            data0 === 'other'
          )) {
            validate14.errors = [0];
            return false;
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.message !== undefined) {
            let data1 = data.message;
            const _errs3 = errors;
            if (errors === _errs3) {
              if (typeof data1 === 'string') {
                if (data1.length < 1) {
                  validate14.errors = [0];
                  return false;
                }
              } else {
                validate14.errors = [0];
                return false;
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.action !== undefined) {
              let data2 = data.action;
              const _errs5 = errors;
              if (errors === _errs5) {
                if (typeof data2 === 'string') {
                  if (data2.length < 1) {
                    validate14.errors = [0];
                    return false;
                  }
                } else {
                  validate14.errors = [0];
                  return false;
                }
              }
              var valid0 = _errs5 === errors;
            } else {
              var valid0 = true;
            }
            if (valid0) {
              if (data.retryable !== undefined) {
                const _errs7 = errors;
                if (typeof data.retryable !== 'boolean') {
                  validate14.errors = [0];
                  return false;
                }
                var valid0 = _errs7 === errors;
              } else {
                var valid0 = true;
              }
              if (valid0) {
                if (data.request_id !== undefined) {
                  let data4 = data.request_id;
                  const _errs9 = errors;
                  if (errors === _errs9) {
                    if (typeof data4 === 'string') {
                      if (!pattern6.test(data4)) {
                        validate14.errors = [0];
                        return false;
                      }
                    } else {
                      validate14.errors = [0];
                      return false;
                    }
                  }
                  var valid0 = _errs9 === errors;
                } else {
                  var valid0 = true;
                }
                if (valid0) {
                  if (data.reason !== undefined) {
                    let data5 = data.reason;
                    const _errs11 = errors;
                    if (errors === _errs11) {
                      if (typeof data5 === 'string') {
                        if (data5.length < 1) {
                          validate14.errors = [0];
                          return false;
                        }
                      } else {
                        validate14.errors = [0];
                        return false;
                      }
                    }
                    var valid0 = _errs11 === errors;
                  } else {
                    var valid0 = true;
                  }
                  if (valid0) {
                    if (data.link !== undefined) {
                      let data6 = data.link;
                      const _errs13 = errors;
                      if (errors === _errs13) {
                        if (typeof data6 === 'string') {
                          if (!pattern2.test(data6)) {
                            validate14.errors = [0];
                            return false;
                          }
                        } else {
                          validate14.errors = [0];
                          return false;
                        }
                      }
                      var valid0 = _errs13 === errors;
                    } else {
                      var valid0 = true;
                    }
                    if (valid0) {
                      if (data.type !== undefined) {
                        const _errs15 = errors;
                        if (typeof data.type !== 'string') {
                          validate14.errors = [0];
                          return false;
                        }
                        var valid0 = _errs15 === errors;
                      } else {
                        var valid0 = true;
                      }
                      if (valid0) {
                        if (data.title !== undefined) {
                          const _errs17 = errors;
                          if (typeof data.title !== 'string') {
                            validate14.errors = [0];
                            return false;
                          }
                          var valid0 = _errs17 === errors;
                        } else {
                          var valid0 = true;
                        }
                        if (valid0) {
                          if (data.status !== undefined) {
                            let data9 = data.status;
                            const _errs19 = errors;
                            if (
                              !(typeof data9 == 'number' && !(data9 % 1) && !isNaN(data9) && isFinite(data9)) &&
                              data9 !== null
                            ) {
                              validate14.errors = [0];
                              return false;
                            }
                            var valid0 = _errs19 === errors;
                          } else {
                            var valid0 = true;
                          }
                          if (valid0) {
                            if (data.detail !== undefined) {
                              const _errs21 = errors;
                              if (typeof data.detail !== 'string') {
                                validate14.errors = [0];
                                return false;
                              }
                              var valid0 = _errs21 === errors;
                            } else {
                              var valid0 = true;
                            }
                            if (valid0) {
                              if (data.params !== undefined) {
                                let data11 = data.params;
                                const _errs23 = errors;
                                if (errors === _errs23) {
                                  if (data11 && typeof data11 == 'object' && !Array.isArray(data11)) {
                                    for (const key0 in data11) {
                                      let data12 = data11[key0];
                                      const _errs26 = errors;
                                      if (
                                        typeof data12 !== 'string' &&
                                        !(typeof data12 == 'number' && isFinite(data12)) &&
                                        !Array.isArray(data12)
                                      ) {
                                        validate14.errors = [0];
                                        return false;
                                      }
                                      if (errors === _errs26) {
                                        if (Array.isArray(data12)) {
                                          var valid2 = true;
                                          const len0 = data12.length;
                                          for (let i0 = 0; i0 < len0; i0++) {
                                            const _errs28 = errors;
                                            if (typeof data12[i0] !== 'string') {
                                              validate14.errors = [0];
                                              return false;
                                            }
                                            var valid2 = _errs28 === errors;
                                            if (!valid2) {
                                              break;
                                            }
                                          }
                                        }
                                      }
                                      var valid1 = _errs26 === errors;
                                      if (!valid1) {
                                        break;
                                      }
                                    }
                                  } else {
                                    validate14.errors = [0];
                                    return false;
                                  }
                                }
                                var valid0 = _errs23 === errors;
                              } else {
                                var valid0 = true;
                              }
                            }
                          }
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    } else {
      validate14.errors = [0];
      return false;
    }
  }
  validate14.errors = vErrors;
  return errors === 0;
}
export const isGrantLeases = validate15;
const schema16 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['grants'],
  properties: {
    grants: { type: 'array', maxItems: 1000, items: { type: 'string', pattern: '^worker-[A-Za-z0-9_-]{10,60}$' } }
  }
};
const pattern8 = new RegExp('^worker-[A-Za-z0-9_-]{10,60}$', 'u');
function validate15(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (data.grants === undefined && (missing0 = 'grants')) {
        validate15.errors = [0];
        return false;
      } else {
        if (data.grants !== undefined) {
          let data0 = data.grants;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (Array.isArray(data0)) {
              if (data0.length > 1000) {
                validate15.errors = [0];
                return false;
              } else {
                var valid1 = true;
                const len0 = data0.length;
                for (let i0 = 0; i0 < len0; i0++) {
                  let data1 = data0[i0];
                  const _errs3 = errors;
                  if (errors === _errs3) {
                    if (typeof data1 === 'string') {
                      if (!pattern8.test(data1)) {
                        validate15.errors = [0];
                        return false;
                      }
                    } else {
                      validate15.errors = [0];
                      return false;
                    }
                  }
                  var valid1 = _errs3 === errors;
                  if (!valid1) {
                    break;
                  }
                }
              }
            } else {
              validate15.errors = [0];
              return false;
            }
          }
        }
      }
    } else {
      validate15.errors = [0];
      return false;
    }
  }
  validate15.errors = vErrors;
  return errors === 0;
}
export const isGrant = validate16;
const schema17 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: [
    'id',
    'provider',
    'apis',
    'methods',
    'name',
    'maker',
    'outlives_kernel',
    'began_at',
    'ends_at',
    'last_used_at',
    'grant',
    'address',
    'address_outlives_server'
  ],
  properties: {
    id: { type: 'string', pattern: '^worker-[A-Za-z0-9_-]{10,60}$' },
    provider: { type: 'string' },
    apis: { type: 'array', items: { type: 'string' } },
    methods: { type: 'array', items: { type: 'string' } },
    name: { type: 'string' },
    maker: { type: 'string' },
    outlives_kernel: { type: 'boolean' },
    began_at: { type: 'string' },
    ends_at: { type: 'string' },
    last_used_at: { type: ['string', 'null'] },
    grant: { type: 'string', pattern: '^jow\\.[A-Za-z0-9_-]{40,64}$' },
    address: { type: ['string', 'null'] },
    address_outlives_server: { type: 'boolean' }
  }
};
const pattern10 = new RegExp('^jow\\.[A-Za-z0-9_-]{40,64}$', 'u');
function validate16(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.id === undefined && (missing0 = 'id')) ||
        (data.provider === undefined && (missing0 = 'provider')) ||
        (data.apis === undefined && (missing0 = 'apis')) ||
        (data.methods === undefined && (missing0 = 'methods')) ||
        (data.name === undefined && (missing0 = 'name')) ||
        (data.maker === undefined && (missing0 = 'maker')) ||
        (data.outlives_kernel === undefined && (missing0 = 'outlives_kernel')) ||
        (data.began_at === undefined && (missing0 = 'began_at')) ||
        (data.ends_at === undefined && (missing0 = 'ends_at')) ||
        (data.last_used_at === undefined && (missing0 = 'last_used_at')) ||
        (data.grant === undefined && (missing0 = 'grant')) ||
        (data.address === undefined && (missing0 = 'address')) ||
        (data.address_outlives_server === undefined && (missing0 = 'address_outlives_server'))
      ) {
        validate16.errors = [0];
        return false;
      } else {
        if (data.id !== undefined) {
          let data0 = data.id;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (typeof data0 === 'string') {
              if (!pattern8.test(data0)) {
                validate16.errors = [0];
                return false;
              }
            } else {
              validate16.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.provider !== undefined) {
            const _errs3 = errors;
            if (typeof data.provider !== 'string') {
              validate16.errors = [0];
              return false;
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.apis !== undefined) {
              let data2 = data.apis;
              const _errs5 = errors;
              if (errors === _errs5) {
                if (Array.isArray(data2)) {
                  var valid1 = true;
                  const len0 = data2.length;
                  for (let i0 = 0; i0 < len0; i0++) {
                    const _errs7 = errors;
                    if (typeof data2[i0] !== 'string') {
                      validate16.errors = [0];
                      return false;
                    }
                    var valid1 = _errs7 === errors;
                    if (!valid1) {
                      break;
                    }
                  }
                } else {
                  validate16.errors = [0];
                  return false;
                }
              }
              var valid0 = _errs5 === errors;
            } else {
              var valid0 = true;
            }
            if (valid0) {
              if (data.methods !== undefined) {
                let data4 = data.methods;
                const _errs9 = errors;
                if (errors === _errs9) {
                  if (Array.isArray(data4)) {
                    var valid2 = true;
                    const len1 = data4.length;
                    for (let i1 = 0; i1 < len1; i1++) {
                      const _errs11 = errors;
                      if (typeof data4[i1] !== 'string') {
                        validate16.errors = [0];
                        return false;
                      }
                      var valid2 = _errs11 === errors;
                      if (!valid2) {
                        break;
                      }
                    }
                  } else {
                    validate16.errors = [0];
                    return false;
                  }
                }
                var valid0 = _errs9 === errors;
              } else {
                var valid0 = true;
              }
              if (valid0) {
                if (data.name !== undefined) {
                  const _errs13 = errors;
                  if (typeof data.name !== 'string') {
                    validate16.errors = [0];
                    return false;
                  }
                  var valid0 = _errs13 === errors;
                } else {
                  var valid0 = true;
                }
                if (valid0) {
                  if (data.maker !== undefined) {
                    const _errs15 = errors;
                    if (typeof data.maker !== 'string') {
                      validate16.errors = [0];
                      return false;
                    }
                    var valid0 = _errs15 === errors;
                  } else {
                    var valid0 = true;
                  }
                  if (valid0) {
                    if (data.outlives_kernel !== undefined) {
                      const _errs17 = errors;
                      if (typeof data.outlives_kernel !== 'boolean') {
                        validate16.errors = [0];
                        return false;
                      }
                      var valid0 = _errs17 === errors;
                    } else {
                      var valid0 = true;
                    }
                    if (valid0) {
                      if (data.began_at !== undefined) {
                        const _errs19 = errors;
                        if (typeof data.began_at !== 'string') {
                          validate16.errors = [0];
                          return false;
                        }
                        var valid0 = _errs19 === errors;
                      } else {
                        var valid0 = true;
                      }
                      if (valid0) {
                        if (data.ends_at !== undefined) {
                          const _errs21 = errors;
                          if (typeof data.ends_at !== 'string') {
                            validate16.errors = [0];
                            return false;
                          }
                          var valid0 = _errs21 === errors;
                        } else {
                          var valid0 = true;
                        }
                        if (valid0) {
                          if (data.last_used_at !== undefined) {
                            let data11 = data.last_used_at;
                            const _errs23 = errors;
                            if (typeof data11 !== 'string' && data11 !== null) {
                              validate16.errors = [0];
                              return false;
                            }
                            var valid0 = _errs23 === errors;
                          } else {
                            var valid0 = true;
                          }
                          if (valid0) {
                            if (data.grant !== undefined) {
                              let data12 = data.grant;
                              const _errs25 = errors;
                              if (errors === _errs25) {
                                if (typeof data12 === 'string') {
                                  if (!pattern10.test(data12)) {
                                    validate16.errors = [0];
                                    return false;
                                  }
                                } else {
                                  validate16.errors = [0];
                                  return false;
                                }
                              }
                              var valid0 = _errs25 === errors;
                            } else {
                              var valid0 = true;
                            }
                            if (valid0) {
                              if (data.address !== undefined) {
                                let data13 = data.address;
                                const _errs27 = errors;
                                if (typeof data13 !== 'string' && data13 !== null) {
                                  validate16.errors = [0];
                                  return false;
                                }
                                var valid0 = _errs27 === errors;
                              } else {
                                var valid0 = true;
                              }
                              if (valid0) {
                                if (data.address_outlives_server !== undefined) {
                                  const _errs29 = errors;
                                  if (typeof data.address_outlives_server !== 'boolean') {
                                    validate16.errors = [0];
                                    return false;
                                  }
                                  var valid0 = _errs29 === errors;
                                } else {
                                  var valid0 = true;
                                }
                              }
                            }
                          }
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    } else {
      validate16.errors = [0];
      return false;
    }
  }
  validate16.errors = vErrors;
  return errors === 0;
}
export const isGrants = validate17;
const schema18 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['grants', 'max_hours', 'are_stored'],
  properties: {
    grants: {
      type: 'array',
      items: {
        type: 'object',
        required: [
          'id',
          'provider',
          'apis',
          'methods',
          'name',
          'maker',
          'outlives_kernel',
          'began_at',
          'ends_at',
          'last_used_at'
        ],
        properties: {
          id: { type: 'string', pattern: '^worker-[A-Za-z0-9_-]{10,60}$' },
          provider: { type: 'string' },
          apis: { type: 'array', items: { type: 'string' } },
          methods: { type: 'array', items: { type: 'string' } },
          name: { type: 'string' },
          maker: { type: 'string' },
          outlives_kernel: { type: 'boolean' },
          began_at: { type: 'string' },
          ends_at: { type: 'string' },
          last_used_at: { type: ['string', 'null'] }
        }
      }
    },
    max_hours: { type: 'number' },
    are_stored: { type: 'boolean' }
  }
};
function validate17(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.grants === undefined && (missing0 = 'grants')) ||
        (data.max_hours === undefined && (missing0 = 'max_hours')) ||
        (data.are_stored === undefined && (missing0 = 'are_stored'))
      ) {
        validate17.errors = [0];
        return false;
      } else {
        if (data.grants !== undefined) {
          let data0 = data.grants;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (Array.isArray(data0)) {
              var valid1 = true;
              const len0 = data0.length;
              for (let i0 = 0; i0 < len0; i0++) {
                let data1 = data0[i0];
                const _errs3 = errors;
                if (errors === _errs3) {
                  if (data1 && typeof data1 == 'object' && !Array.isArray(data1)) {
                    let missing1;
                    if (
                      (data1.id === undefined && (missing1 = 'id')) ||
                      (data1.provider === undefined && (missing1 = 'provider')) ||
                      (data1.apis === undefined && (missing1 = 'apis')) ||
                      (data1.methods === undefined && (missing1 = 'methods')) ||
                      (data1.name === undefined && (missing1 = 'name')) ||
                      (data1.maker === undefined && (missing1 = 'maker')) ||
                      (data1.outlives_kernel === undefined && (missing1 = 'outlives_kernel')) ||
                      (data1.began_at === undefined && (missing1 = 'began_at')) ||
                      (data1.ends_at === undefined && (missing1 = 'ends_at')) ||
                      (data1.last_used_at === undefined && (missing1 = 'last_used_at'))
                    ) {
                      validate17.errors = [0];
                      return false;
                    } else {
                      if (data1.id !== undefined) {
                        let data2 = data1.id;
                        const _errs5 = errors;
                        if (errors === _errs5) {
                          if (typeof data2 === 'string') {
                            if (!pattern8.test(data2)) {
                              validate17.errors = [0];
                              return false;
                            }
                          } else {
                            validate17.errors = [0];
                            return false;
                          }
                        }
                        var valid2 = _errs5 === errors;
                      } else {
                        var valid2 = true;
                      }
                      if (valid2) {
                        if (data1.provider !== undefined) {
                          const _errs7 = errors;
                          if (typeof data1.provider !== 'string') {
                            validate17.errors = [0];
                            return false;
                          }
                          var valid2 = _errs7 === errors;
                        } else {
                          var valid2 = true;
                        }
                        if (valid2) {
                          if (data1.apis !== undefined) {
                            let data4 = data1.apis;
                            const _errs9 = errors;
                            if (errors === _errs9) {
                              if (Array.isArray(data4)) {
                                var valid3 = true;
                                const len1 = data4.length;
                                for (let i1 = 0; i1 < len1; i1++) {
                                  const _errs11 = errors;
                                  if (typeof data4[i1] !== 'string') {
                                    validate17.errors = [0];
                                    return false;
                                  }
                                  var valid3 = _errs11 === errors;
                                  if (!valid3) {
                                    break;
                                  }
                                }
                              } else {
                                validate17.errors = [0];
                                return false;
                              }
                            }
                            var valid2 = _errs9 === errors;
                          } else {
                            var valid2 = true;
                          }
                          if (valid2) {
                            if (data1.methods !== undefined) {
                              let data6 = data1.methods;
                              const _errs13 = errors;
                              if (errors === _errs13) {
                                if (Array.isArray(data6)) {
                                  var valid4 = true;
                                  const len2 = data6.length;
                                  for (let i2 = 0; i2 < len2; i2++) {
                                    const _errs15 = errors;
                                    if (typeof data6[i2] !== 'string') {
                                      validate17.errors = [0];
                                      return false;
                                    }
                                    var valid4 = _errs15 === errors;
                                    if (!valid4) {
                                      break;
                                    }
                                  }
                                } else {
                                  validate17.errors = [0];
                                  return false;
                                }
                              }
                              var valid2 = _errs13 === errors;
                            } else {
                              var valid2 = true;
                            }
                            if (valid2) {
                              if (data1.name !== undefined) {
                                const _errs17 = errors;
                                if (typeof data1.name !== 'string') {
                                  validate17.errors = [0];
                                  return false;
                                }
                                var valid2 = _errs17 === errors;
                              } else {
                                var valid2 = true;
                              }
                              if (valid2) {
                                if (data1.maker !== undefined) {
                                  const _errs19 = errors;
                                  if (typeof data1.maker !== 'string') {
                                    validate17.errors = [0];
                                    return false;
                                  }
                                  var valid2 = _errs19 === errors;
                                } else {
                                  var valid2 = true;
                                }
                                if (valid2) {
                                  if (data1.outlives_kernel !== undefined) {
                                    const _errs21 = errors;
                                    if (typeof data1.outlives_kernel !== 'boolean') {
                                      validate17.errors = [0];
                                      return false;
                                    }
                                    var valid2 = _errs21 === errors;
                                  } else {
                                    var valid2 = true;
                                  }
                                  if (valid2) {
                                    if (data1.began_at !== undefined) {
                                      const _errs23 = errors;
                                      if (typeof data1.began_at !== 'string') {
                                        validate17.errors = [0];
                                        return false;
                                      }
                                      var valid2 = _errs23 === errors;
                                    } else {
                                      var valid2 = true;
                                    }
                                    if (valid2) {
                                      if (data1.ends_at !== undefined) {
                                        const _errs25 = errors;
                                        if (typeof data1.ends_at !== 'string') {
                                          validate17.errors = [0];
                                          return false;
                                        }
                                        var valid2 = _errs25 === errors;
                                      } else {
                                        var valid2 = true;
                                      }
                                      if (valid2) {
                                        if (data1.last_used_at !== undefined) {
                                          let data13 = data1.last_used_at;
                                          const _errs27 = errors;
                                          if (typeof data13 !== 'string' && data13 !== null) {
                                            validate17.errors = [0];
                                            return false;
                                          }
                                          var valid2 = _errs27 === errors;
                                        } else {
                                          var valid2 = true;
                                        }
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          }
                        }
                      }
                    }
                  } else {
                    validate17.errors = [0];
                    return false;
                  }
                }
                var valid1 = _errs3 === errors;
                if (!valid1) {
                  break;
                }
              }
            } else {
              validate17.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.max_hours !== undefined) {
            let data14 = data.max_hours;
            const _errs29 = errors;
            if (!(typeof data14 == 'number' && isFinite(data14))) {
              validate17.errors = [0];
              return false;
            }
            var valid0 = _errs29 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.are_stored !== undefined) {
              const _errs31 = errors;
              if (typeof data.are_stored !== 'boolean') {
                validate17.errors = [0];
                return false;
              }
              var valid0 = _errs31 === errors;
            } else {
              var valid0 = true;
            }
          }
        }
      }
    } else {
      validate17.errors = [0];
      return false;
    }
  }
  validate17.errors = vErrors;
  return errors === 0;
}
export const isKernelGrant = validate18;
const schema19 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['grant', 'expires_in'],
  properties: {
    grant: { type: 'string', pattern: '^[A-Za-z0-9_.-]{20,128}$' },
    expires_in: { type: 'integer', minimum: 1 }
  }
};
const pattern12 = new RegExp('^[A-Za-z0-9_.-]{20,128}$', 'u');
function validate18(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.grant === undefined && (missing0 = 'grant')) ||
        (data.expires_in === undefined && (missing0 = 'expires_in'))
      ) {
        validate18.errors = [0];
        return false;
      } else {
        if (data.grant !== undefined) {
          let data0 = data.grant;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (typeof data0 === 'string') {
              if (!pattern12.test(data0)) {
                validate18.errors = [0];
                return false;
              }
            } else {
              validate18.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.expires_in !== undefined) {
            let data1 = data.expires_in;
            const _errs3 = errors;
            if (!(typeof data1 == 'number' && !(data1 % 1) && !isNaN(data1) && isFinite(data1))) {
              validate18.errors = [0];
              return false;
            }
            if (errors === _errs3) {
              if (typeof data1 == 'number' && isFinite(data1)) {
                if (data1 < 1 || isNaN(data1)) {
                  validate18.errors = [0];
                  return false;
                }
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
        }
      }
    } else {
      validate18.errors = [0];
      return false;
    }
  }
  validate18.errors = vErrors;
  return errors === 0;
}
export const isOperationExample = validate19;
const schema20 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['api', 'method', 'path', 'cell', 'curl'],
  properties: {
    api: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
    method: { type: 'string', pattern: '^[A-Z]{3,8}$' },
    path: { type: 'string', pattern: '^/' },
    cell: { type: 'string', minLength: 1 },
    curl: { type: 'string', minLength: 1 }
  }
};
const pattern14 = new RegExp('^[A-Z]{3,8}$', 'u');
function validate19(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.api === undefined && (missing0 = 'api')) ||
        (data.method === undefined && (missing0 = 'method')) ||
        (data.path === undefined && (missing0 = 'path')) ||
        (data.cell === undefined && (missing0 = 'cell')) ||
        (data.curl === undefined && (missing0 = 'curl'))
      ) {
        validate19.errors = [0];
        return false;
      } else {
        if (data.api !== undefined) {
          let data0 = data.api;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (typeof data0 === 'string') {
              if (!pattern0.test(data0)) {
                validate19.errors = [0];
                return false;
              }
            } else {
              validate19.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.method !== undefined) {
            let data1 = data.method;
            const _errs3 = errors;
            if (errors === _errs3) {
              if (typeof data1 === 'string') {
                if (!pattern14.test(data1)) {
                  validate19.errors = [0];
                  return false;
                }
              } else {
                validate19.errors = [0];
                return false;
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.path !== undefined) {
              let data2 = data.path;
              const _errs5 = errors;
              if (errors === _errs5) {
                if (typeof data2 === 'string') {
                  if (!pattern3.test(data2)) {
                    validate19.errors = [0];
                    return false;
                  }
                } else {
                  validate19.errors = [0];
                  return false;
                }
              }
              var valid0 = _errs5 === errors;
            } else {
              var valid0 = true;
            }
            if (valid0) {
              if (data.cell !== undefined) {
                let data3 = data.cell;
                const _errs7 = errors;
                if (errors === _errs7) {
                  if (typeof data3 === 'string') {
                    if (data3.length < 1) {
                      validate19.errors = [0];
                      return false;
                    }
                  } else {
                    validate19.errors = [0];
                    return false;
                  }
                }
                var valid0 = _errs7 === errors;
              } else {
                var valid0 = true;
              }
              if (valid0) {
                if (data.curl !== undefined) {
                  let data4 = data.curl;
                  const _errs9 = errors;
                  if (errors === _errs9) {
                    if (typeof data4 === 'string') {
                      if (data4.length < 1) {
                        validate19.errors = [0];
                        return false;
                      }
                    } else {
                      validate19.errors = [0];
                      return false;
                    }
                  }
                  var valid0 = _errs9 === errors;
                } else {
                  var valid0 = true;
                }
              }
            }
          }
        }
      }
    } else {
      validate19.errors = [0];
      return false;
    }
  }
  validate19.errors = vErrors;
  return errors === 0;
}
export const isOperationList = validate20;
const schema21 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['api', 'document', 'operations', 'problems', 'operations_more'],
  properties: {
    api: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
    document: {
      type: 'object',
      required: ['title', 'version', 'openapi'],
      properties: {
        title: { type: 'string' },
        version: { type: 'string' },
        openapi: { type: 'string', pattern: '^3\\.[01]\\.' }
      }
    },
    operations: {
      type: 'array',
      items: {
        type: 'object',
        required: [
          'id',
          'method',
          'path',
          'summary',
          'description',
          'tags',
          'deprecated',
          'obstacle',
          'parameters',
          'body'
        ],
        properties: {
          id: { type: ['string', 'null'] },
          method: { type: 'string', pattern: '^[A-Z]{3,8}$' },
          path: { type: 'string', pattern: '^/' },
          summary: { type: ['string', 'null'] },
          description: { type: ['string', 'null'] },
          tags: { type: 'array', items: { type: 'string' } },
          deprecated: { type: 'boolean' },
          obstacle: { type: ['string', 'null'], enum: ['method', 'path', 'caller', null, 'other'] },
          parameters: {
            type: 'array',
            items: {
              type: 'object',
              required: ['name', 'in', 'required', 'type', 'description'],
              properties: {
                name: { type: 'string', minLength: 1 },
                in: { type: 'string', enum: ['path', 'query', 'header', 'cookie', 'other'] },
                required: { type: 'boolean' },
                type: { type: ['string', 'null'] },
                description: { type: ['string', 'null'] }
              }
            }
          },
          body: {
            anyOf: [
              { type: 'null' },
              {
                type: 'object',
                required: ['media_type', 'required'],
                properties: { media_type: { type: 'string', minLength: 1 }, required: { type: 'boolean' } }
              }
            ]
          }
        }
      }
    },
    problems: {
      type: 'array',
      items: {
        type: 'object',
        required: ['where', 'message'],
        properties: { where: { type: 'string' }, message: { type: 'string', minLength: 1 } }
      }
    },
    operations_more: { type: 'integer', minimum: 0 }
  }
};
const pattern17 = new RegExp('^3\\.[01]\\.', 'u');
function validate20(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.api === undefined && (missing0 = 'api')) ||
        (data.document === undefined && (missing0 = 'document')) ||
        (data.operations === undefined && (missing0 = 'operations')) ||
        (data.problems === undefined && (missing0 = 'problems')) ||
        (data.operations_more === undefined && (missing0 = 'operations_more'))
      ) {
        validate20.errors = [0];
        return false;
      } else {
        if (data.api !== undefined) {
          let data0 = data.api;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (typeof data0 === 'string') {
              if (!pattern0.test(data0)) {
                validate20.errors = [0];
                return false;
              }
            } else {
              validate20.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.document !== undefined) {
            let data1 = data.document;
            const _errs3 = errors;
            if (errors === _errs3) {
              if (data1 && typeof data1 == 'object' && !Array.isArray(data1)) {
                let missing1;
                if (
                  (data1.title === undefined && (missing1 = 'title')) ||
                  (data1.version === undefined && (missing1 = 'version')) ||
                  (data1.openapi === undefined && (missing1 = 'openapi'))
                ) {
                  validate20.errors = [0];
                  return false;
                } else {
                  if (data1.title !== undefined) {
                    const _errs5 = errors;
                    if (typeof data1.title !== 'string') {
                      validate20.errors = [0];
                      return false;
                    }
                    var valid1 = _errs5 === errors;
                  } else {
                    var valid1 = true;
                  }
                  if (valid1) {
                    if (data1.version !== undefined) {
                      const _errs7 = errors;
                      if (typeof data1.version !== 'string') {
                        validate20.errors = [0];
                        return false;
                      }
                      var valid1 = _errs7 === errors;
                    } else {
                      var valid1 = true;
                    }
                    if (valid1) {
                      if (data1.openapi !== undefined) {
                        let data4 = data1.openapi;
                        const _errs9 = errors;
                        if (errors === _errs9) {
                          if (typeof data4 === 'string') {
                            if (!pattern17.test(data4)) {
                              validate20.errors = [0];
                              return false;
                            }
                          } else {
                            validate20.errors = [0];
                            return false;
                          }
                        }
                        var valid1 = _errs9 === errors;
                      } else {
                        var valid1 = true;
                      }
                    }
                  }
                }
              } else {
                validate20.errors = [0];
                return false;
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.operations !== undefined) {
              let data5 = data.operations;
              const _errs11 = errors;
              if (errors === _errs11) {
                if (Array.isArray(data5)) {
                  var valid2 = true;
                  const len0 = data5.length;
                  for (let i0 = 0; i0 < len0; i0++) {
                    let data6 = data5[i0];
                    const _errs13 = errors;
                    if (errors === _errs13) {
                      if (data6 && typeof data6 == 'object' && !Array.isArray(data6)) {
                        let missing2;
                        if (
                          (data6.id === undefined && (missing2 = 'id')) ||
                          (data6.method === undefined && (missing2 = 'method')) ||
                          (data6.path === undefined && (missing2 = 'path')) ||
                          (data6.summary === undefined && (missing2 = 'summary')) ||
                          (data6.description === undefined && (missing2 = 'description')) ||
                          (data6.tags === undefined && (missing2 = 'tags')) ||
                          (data6.deprecated === undefined && (missing2 = 'deprecated')) ||
                          (data6.obstacle === undefined && (missing2 = 'obstacle')) ||
                          (data6.parameters === undefined && (missing2 = 'parameters')) ||
                          (data6.body === undefined && (missing2 = 'body'))
                        ) {
                          validate20.errors = [0];
                          return false;
                        } else {
                          if (data6.id !== undefined) {
                            let data7 = data6.id;
                            const _errs15 = errors;
                            if (typeof data7 !== 'string' && data7 !== null) {
                              validate20.errors = [0];
                              return false;
                            }
                            var valid3 = _errs15 === errors;
                          } else {
                            var valid3 = true;
                          }
                          if (valid3) {
                            if (data6.method !== undefined) {
                              let data8 = data6.method;
                              const _errs17 = errors;
                              if (errors === _errs17) {
                                if (typeof data8 === 'string') {
                                  if (!pattern14.test(data8)) {
                                    validate20.errors = [0];
                                    return false;
                                  }
                                } else {
                                  validate20.errors = [0];
                                  return false;
                                }
                              }
                              var valid3 = _errs17 === errors;
                            } else {
                              var valid3 = true;
                            }
                            if (valid3) {
                              if (data6.path !== undefined) {
                                let data9 = data6.path;
                                const _errs19 = errors;
                                if (errors === _errs19) {
                                  if (typeof data9 === 'string') {
                                    if (!pattern3.test(data9)) {
                                      validate20.errors = [0];
                                      return false;
                                    }
                                  } else {
                                    validate20.errors = [0];
                                    return false;
                                  }
                                }
                                var valid3 = _errs19 === errors;
                              } else {
                                var valid3 = true;
                              }
                              if (valid3) {
                                if (data6.summary !== undefined) {
                                  let data10 = data6.summary;
                                  const _errs21 = errors;
                                  if (typeof data10 !== 'string' && data10 !== null) {
                                    validate20.errors = [0];
                                    return false;
                                  }
                                  var valid3 = _errs21 === errors;
                                } else {
                                  var valid3 = true;
                                }
                                if (valid3) {
                                  if (data6.description !== undefined) {
                                    let data11 = data6.description;
                                    const _errs23 = errors;
                                    if (typeof data11 !== 'string' && data11 !== null) {
                                      validate20.errors = [0];
                                      return false;
                                    }
                                    var valid3 = _errs23 === errors;
                                  } else {
                                    var valid3 = true;
                                  }
                                  if (valid3) {
                                    if (data6.tags !== undefined) {
                                      let data12 = data6.tags;
                                      const _errs25 = errors;
                                      if (errors === _errs25) {
                                        if (Array.isArray(data12)) {
                                          var valid4 = true;
                                          const len1 = data12.length;
                                          for (let i1 = 0; i1 < len1; i1++) {
                                            const _errs27 = errors;
                                            if (typeof data12[i1] !== 'string') {
                                              validate20.errors = [0];
                                              return false;
                                            }
                                            var valid4 = _errs27 === errors;
                                            if (!valid4) {
                                              break;
                                            }
                                          }
                                        } else {
                                          validate20.errors = [0];
                                          return false;
                                        }
                                      }
                                      var valid3 = _errs25 === errors;
                                    } else {
                                      var valid3 = true;
                                    }
                                    if (valid3) {
                                      if (data6.deprecated !== undefined) {
                                        const _errs29 = errors;
                                        if (typeof data6.deprecated !== 'boolean') {
                                          validate20.errors = [0];
                                          return false;
                                        }
                                        var valid3 = _errs29 === errors;
                                      } else {
                                        var valid3 = true;
                                      }
                                      if (valid3) {
                                        if (data6.obstacle !== undefined) {
                                          let data15 = data6.obstacle;
                                          const _errs31 = errors;
                                          if (typeof data15 !== 'string' && data15 !== null) {
                                            validate20.errors = [0];
                                            return false;
                                          }
                                          if (!(
                                            data15 === 'method' ||
                                            data15 === 'path' ||
                                            data15 === 'caller' ||
                                            data15 === null ||
                                            data15 === 'other'
                                          )) {
                                            validate20.errors = [0];
                                            return false;
                                          }
                                          var valid3 = _errs31 === errors;
                                        } else {
                                          var valid3 = true;
                                        }
                                        if (valid3) {
                                          if (data6.parameters !== undefined) {
                                            let data16 = data6.parameters;
                                            const _errs33 = errors;
                                            if (errors === _errs33) {
                                              if (Array.isArray(data16)) {
                                                var valid5 = true;
                                                const len2 = data16.length;
                                                for (let i2 = 0; i2 < len2; i2++) {
                                                  let data17 = data16[i2];
                                                  const _errs35 = errors;
                                                  if (errors === _errs35) {
                                                    if (data17 && typeof data17 == 'object' && !Array.isArray(data17)) {
                                                      let missing3;
                                                      if (
                                                        (data17.name === undefined && (missing3 = 'name')) ||
                                                        (data17.in === undefined && (missing3 = 'in')) ||
                                                        (data17.required === undefined && (missing3 = 'required')) ||
                                                        (data17.type === undefined && (missing3 = 'type')) ||
                                                        (data17.description === undefined && (missing3 = 'description'))
                                                      ) {
                                                        validate20.errors = [0];
                                                        return false;
                                                      } else {
                                                        if (data17.name !== undefined) {
                                                          let data18 = data17.name;
                                                          const _errs37 = errors;
                                                          if (errors === _errs37) {
                                                            if (typeof data18 === 'string') {
                                                              if (data18.length < 1) {
                                                                validate20.errors = [0];
                                                                return false;
                                                              }
                                                            } else {
                                                              validate20.errors = [0];
                                                              return false;
                                                            }
                                                          }
                                                          var valid6 = _errs37 === errors;
                                                        } else {
                                                          var valid6 = true;
                                                        }
                                                        if (valid6) {
                                                          if (data17.in !== undefined) {
                                                            let data19 = data17.in;
                                                            const _errs39 = errors;
                                                            if (typeof data19 !== 'string') {
                                                              validate20.errors = [0];
                                                              return false;
                                                            }
                                                            if (!(
                                                              data19 === 'path' ||
                                                              data19 === 'query' ||
                                                              data19 === 'header' ||
                                                              data19 === 'cookie' ||
                                                              data19 === 'other'
                                                            )) {
                                                              validate20.errors = [0];
                                                              return false;
                                                            }
                                                            var valid6 = _errs39 === errors;
                                                          } else {
                                                            var valid6 = true;
                                                          }
                                                          if (valid6) {
                                                            if (data17.required !== undefined) {
                                                              const _errs41 = errors;
                                                              if (typeof data17.required !== 'boolean') {
                                                                validate20.errors = [0];
                                                                return false;
                                                              }
                                                              var valid6 = _errs41 === errors;
                                                            } else {
                                                              var valid6 = true;
                                                            }
                                                            if (valid6) {
                                                              if (data17.type !== undefined) {
                                                                let data21 = data17.type;
                                                                const _errs43 = errors;
                                                                if (typeof data21 !== 'string' && data21 !== null) {
                                                                  validate20.errors = [0];
                                                                  return false;
                                                                }
                                                                var valid6 = _errs43 === errors;
                                                              } else {
                                                                var valid6 = true;
                                                              }
                                                              if (valid6) {
                                                                if (data17.description !== undefined) {
                                                                  let data22 = data17.description;
                                                                  const _errs45 = errors;
                                                                  if (typeof data22 !== 'string' && data22 !== null) {
                                                                    validate20.errors = [0];
                                                                    return false;
                                                                  }
                                                                  var valid6 = _errs45 === errors;
                                                                } else {
                                                                  var valid6 = true;
                                                                }
                                                              }
                                                            }
                                                          }
                                                        }
                                                      }
                                                    } else {
                                                      validate20.errors = [0];
                                                      return false;
                                                    }
                                                  }
                                                  var valid5 = _errs35 === errors;
                                                  if (!valid5) {
                                                    break;
                                                  }
                                                }
                                              } else {
                                                validate20.errors = [0];
                                                return false;
                                              }
                                            }
                                            var valid3 = _errs33 === errors;
                                          } else {
                                            var valid3 = true;
                                          }
                                          if (valid3) {
                                            if (data6.body !== undefined) {
                                              let data23 = data6.body;
                                              const _errs47 = errors;
                                              const _errs48 = errors;
                                              let valid7 = false;
                                              const _errs49 = errors;
                                              if (data23 !== null) {
                                                const err0 = {
                                                  instancePath: instancePath + '/operations/' + i0 + '/body',
                                                  schemaPath:
                                                    '#/properties/operations/items/properties/body/anyOf/0/type',
                                                  keyword: 'type',
                                                  params: { type: 'null' }
                                                };
                                                if (vErrors === null) {
                                                  vErrors = [err0];
                                                } else {
                                                  vErrors.push(err0);
                                                }
                                                errors++;
                                              }
                                              var _valid0 = _errs49 === errors;
                                              valid7 = valid7 || _valid0;
                                              if (!valid7) {
                                                const _errs51 = errors;
                                                if (errors === _errs51) {
                                                  if (data23 && typeof data23 == 'object' && !Array.isArray(data23)) {
                                                    let missing4;
                                                    if (
                                                      (data23.media_type === undefined && (missing4 = 'media_type')) ||
                                                      (data23.required === undefined && (missing4 = 'required'))
                                                    ) {
                                                      const err1 = {
                                                        instancePath: instancePath + '/operations/' + i0 + '/body',
                                                        schemaPath:
                                                          '#/properties/operations/items/properties/body/anyOf/1/required',
                                                        keyword: 'required',
                                                        params: { missingProperty: missing4 }
                                                      };
                                                      if (vErrors === null) {
                                                        vErrors = [err1];
                                                      } else {
                                                        vErrors.push(err1);
                                                      }
                                                      errors++;
                                                    } else {
                                                      if (data23.media_type !== undefined) {
                                                        let data24 = data23.media_type;
                                                        const _errs53 = errors;
                                                        if (errors === _errs53) {
                                                          if (typeof data24 === 'string') {
                                                            if (data24.length < 1) {
                                                              const err2 = {
                                                                instancePath:
                                                                  instancePath +
                                                                  '/operations/' +
                                                                  i0 +
                                                                  '/body/media_type',
                                                                schemaPath:
                                                                  '#/properties/operations/items/properties/body/anyOf/1/properties/media_type/minLength',
                                                                keyword: 'minLength',
                                                                params: { limit: 1 }
                                                              };
                                                              if (vErrors === null) {
                                                                vErrors = [err2];
                                                              } else {
                                                                vErrors.push(err2);
                                                              }
                                                              errors++;
                                                            }
                                                          } else {
                                                            const err3 = {
                                                              instancePath:
                                                                instancePath + '/operations/' + i0 + '/body/media_type',
                                                              schemaPath:
                                                                '#/properties/operations/items/properties/body/anyOf/1/properties/media_type/type',
                                                              keyword: 'type',
                                                              params: { type: 'string' }
                                                            };
                                                            if (vErrors === null) {
                                                              vErrors = [err3];
                                                            } else {
                                                              vErrors.push(err3);
                                                            }
                                                            errors++;
                                                          }
                                                        }
                                                        var valid8 = _errs53 === errors;
                                                      } else {
                                                        var valid8 = true;
                                                      }
                                                      if (valid8) {
                                                        if (data23.required !== undefined) {
                                                          const _errs55 = errors;
                                                          if (typeof data23.required !== 'boolean') {
                                                            const err4 = {
                                                              instancePath:
                                                                instancePath + '/operations/' + i0 + '/body/required',
                                                              schemaPath:
                                                                '#/properties/operations/items/properties/body/anyOf/1/properties/required/type',
                                                              keyword: 'type',
                                                              params: { type: 'boolean' }
                                                            };
                                                            if (vErrors === null) {
                                                              vErrors = [err4];
                                                            } else {
                                                              vErrors.push(err4);
                                                            }
                                                            errors++;
                                                          }
                                                          var valid8 = _errs55 === errors;
                                                        } else {
                                                          var valid8 = true;
                                                        }
                                                      }
                                                    }
                                                  } else {
                                                    const err5 = {
                                                      instancePath: instancePath + '/operations/' + i0 + '/body',
                                                      schemaPath:
                                                        '#/properties/operations/items/properties/body/anyOf/1/type',
                                                      keyword: 'type',
                                                      params: { type: 'object' }
                                                    };
                                                    if (vErrors === null) {
                                                      vErrors = [err5];
                                                    } else {
                                                      vErrors.push(err5);
                                                    }
                                                    errors++;
                                                  }
                                                }
                                                var _valid0 = _errs51 === errors;
                                                valid7 = valid7 || _valid0;
                                              }
                                              if (!valid7) {
                                                const err6 = {
                                                  instancePath: instancePath + '/operations/' + i0 + '/body',
                                                  schemaPath: '#/properties/operations/items/properties/body/anyOf',
                                                  keyword: 'anyOf',
                                                  params: {}
                                                };
                                                if (vErrors === null) {
                                                  vErrors = [err6];
                                                } else {
                                                  vErrors.push(err6);
                                                }
                                                errors++;
                                                validate20.errors = vErrors;
                                                return false;
                                              } else {
                                                errors = _errs48;
                                                if (vErrors !== null) {
                                                  if (_errs48) {
                                                    vErrors.length = _errs48;
                                                  } else {
                                                    vErrors = null;
                                                  }
                                                }
                                              }
                                              var valid3 = _errs47 === errors;
                                            } else {
                                              var valid3 = true;
                                            }
                                          }
                                        }
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          }
                        }
                      } else {
                        validate20.errors = [0];
                        return false;
                      }
                    }
                    var valid2 = _errs13 === errors;
                    if (!valid2) {
                      break;
                    }
                  }
                } else {
                  validate20.errors = [0];
                  return false;
                }
              }
              var valid0 = _errs11 === errors;
            } else {
              var valid0 = true;
            }
            if (valid0) {
              if (data.problems !== undefined) {
                let data26 = data.problems;
                const _errs57 = errors;
                if (errors === _errs57) {
                  if (Array.isArray(data26)) {
                    var valid9 = true;
                    const len3 = data26.length;
                    for (let i3 = 0; i3 < len3; i3++) {
                      let data27 = data26[i3];
                      const _errs59 = errors;
                      if (errors === _errs59) {
                        if (data27 && typeof data27 == 'object' && !Array.isArray(data27)) {
                          let missing5;
                          if (
                            (data27.where === undefined && (missing5 = 'where')) ||
                            (data27.message === undefined && (missing5 = 'message'))
                          ) {
                            validate20.errors = [0];
                            return false;
                          } else {
                            if (data27.where !== undefined) {
                              const _errs61 = errors;
                              if (typeof data27.where !== 'string') {
                                validate20.errors = [0];
                                return false;
                              }
                              var valid10 = _errs61 === errors;
                            } else {
                              var valid10 = true;
                            }
                            if (valid10) {
                              if (data27.message !== undefined) {
                                let data29 = data27.message;
                                const _errs63 = errors;
                                if (errors === _errs63) {
                                  if (typeof data29 === 'string') {
                                    if (data29.length < 1) {
                                      validate20.errors = [0];
                                      return false;
                                    }
                                  } else {
                                    validate20.errors = [0];
                                    return false;
                                  }
                                }
                                var valid10 = _errs63 === errors;
                              } else {
                                var valid10 = true;
                              }
                            }
                          }
                        } else {
                          validate20.errors = [0];
                          return false;
                        }
                      }
                      var valid9 = _errs59 === errors;
                      if (!valid9) {
                        break;
                      }
                    }
                  } else {
                    validate20.errors = [0];
                    return false;
                  }
                }
                var valid0 = _errs57 === errors;
              } else {
                var valid0 = true;
              }
              if (valid0) {
                if (data.operations_more !== undefined) {
                  let data30 = data.operations_more;
                  const _errs65 = errors;
                  if (!(typeof data30 == 'number' && !(data30 % 1) && !isNaN(data30) && isFinite(data30))) {
                    validate20.errors = [0];
                    return false;
                  }
                  if (errors === _errs65) {
                    if (typeof data30 == 'number' && isFinite(data30)) {
                      if (data30 < 0 || isNaN(data30)) {
                        validate20.errors = [0];
                        return false;
                      }
                    }
                  }
                  var valid0 = _errs65 === errors;
                } else {
                  var valid0 = true;
                }
              }
            }
          }
        }
      }
    } else {
      validate20.errors = [0];
      return false;
    }
  }
  validate20.errors = vErrors;
  return errors === 0;
}
export const isProviderList = validate21;
const schema22 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['providers', 'default_provider'],
  properties: {
    providers: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'issuer', 'state'],
        properties: {
          name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
          issuer: { type: 'string', minLength: 1 },
          state: {
            type: 'string',
            enum: ['signed-out', 'signing-in', 'active', 'refresh-failed', 'signed-out-expired', 'other']
          },
          silent_sign_in: { const: true }
        }
      }
    },
    default_provider: { type: ['string', 'null'], pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' }
  }
};
function validate21(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.providers === undefined && (missing0 = 'providers')) ||
        (data.default_provider === undefined && (missing0 = 'default_provider'))
      ) {
        validate21.errors = [0];
        return false;
      } else {
        if (data.providers !== undefined) {
          let data0 = data.providers;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (Array.isArray(data0)) {
              var valid1 = true;
              const len0 = data0.length;
              for (let i0 = 0; i0 < len0; i0++) {
                let data1 = data0[i0];
                const _errs3 = errors;
                if (errors === _errs3) {
                  if (data1 && typeof data1 == 'object' && !Array.isArray(data1)) {
                    let missing1;
                    if (
                      (data1.name === undefined && (missing1 = 'name')) ||
                      (data1.issuer === undefined && (missing1 = 'issuer')) ||
                      (data1.state === undefined && (missing1 = 'state'))
                    ) {
                      validate21.errors = [0];
                      return false;
                    } else {
                      if (data1.name !== undefined) {
                        let data2 = data1.name;
                        const _errs5 = errors;
                        if (errors === _errs5) {
                          if (typeof data2 === 'string') {
                            if (!pattern0.test(data2)) {
                              validate21.errors = [0];
                              return false;
                            }
                          } else {
                            validate21.errors = [0];
                            return false;
                          }
                        }
                        var valid2 = _errs5 === errors;
                      } else {
                        var valid2 = true;
                      }
                      if (valid2) {
                        if (data1.issuer !== undefined) {
                          let data3 = data1.issuer;
                          const _errs7 = errors;
                          if (errors === _errs7) {
                            if (typeof data3 === 'string') {
                              if (data3.length < 1) {
                                validate21.errors = [0];
                                return false;
                              }
                            } else {
                              validate21.errors = [0];
                              return false;
                            }
                          }
                          var valid2 = _errs7 === errors;
                        } else {
                          var valid2 = true;
                        }
                        if (valid2) {
                          if (data1.state !== undefined) {
                            let data4 = data1.state;
                            const _errs9 = errors;
                            if (typeof data4 !== 'string') {
                              validate21.errors = [0];
                              return false;
                            }
                            if (!(
                              data4 === 'signed-out' ||
                              data4 === 'signing-in' ||
                              data4 === 'active' ||
                              data4 === 'refresh-failed' ||
                              data4 === 'signed-out-expired' ||
                              data4 === 'other'
                            )) {
                              validate21.errors = [0];
                              return false;
                            }
                            var valid2 = _errs9 === errors;
                          } else {
                            var valid2 = true;
                          }
                          if (valid2) {
                            if (data1.silent_sign_in !== undefined) {
                              const _errs11 = errors;
                              if (true !== data1.silent_sign_in) {
                                validate21.errors = [0];
                                return false;
                              }
                              var valid2 = _errs11 === errors;
                            } else {
                              var valid2 = true;
                            }
                          }
                        }
                      }
                    }
                  } else {
                    validate21.errors = [0];
                    return false;
                  }
                }
                var valid1 = _errs3 === errors;
                if (!valid1) {
                  break;
                }
              }
            } else {
              validate21.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.default_provider !== undefined) {
            let data6 = data.default_provider;
            const _errs12 = errors;
            if (typeof data6 !== 'string' && data6 !== null) {
              validate21.errors = [0];
              return false;
            }
            if (errors === _errs12) {
              if (typeof data6 === 'string') {
                if (!pattern0.test(data6)) {
                  validate21.errors = [0];
                  return false;
                }
              }
            }
            var valid0 = _errs12 === errors;
          } else {
            var valid0 = true;
          }
        }
      }
    } else {
      validate21.errors = [0];
      return false;
    }
  }
  validate21.errors = vErrors;
  return errors === 0;
}
export const isSessionSummary = validate22;
const schema23 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: [
    'provider',
    'issuer',
    'state',
    'reason',
    'sequence',
    'user',
    'entitlements',
    'entitlements_more',
    'entitlements_known',
    'scopes',
    'missing_scopes',
    'signed_in_at',
    'access_expires_at',
    'expires_in',
    'refreshable',
    'storage',
    'retry_at',
    'apis',
    'settings_pending',
    'sharing',
    'sign_in_under_way'
  ],
  properties: {
    provider: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
    issuer: { type: 'string', minLength: 1 },
    state: {
      type: 'string',
      enum: ['signed-out', 'signing-in', 'active', 'refresh-failed', 'signed-out-expired', 'other']
    },
    reason: { type: ['string', 'null'] },
    sequence: { type: 'integer', minimum: 0 },
    user: {
      anyOf: [
        { type: 'null' },
        {
          type: 'object',
          required: ['sub', 'name', 'username', 'email', 'email_verified', 'picture'],
          properties: {
            sub: { type: 'string', minLength: 1, maxLength: 255 },
            name: { type: ['string', 'null'] },
            username: { type: ['string', 'null'] },
            email: { type: ['string', 'null'] },
            email_verified: { type: 'boolean' },
            picture: { type: ['string', 'null'] }
          }
        }
      ]
    },
    entitlements: { type: 'array', items: { type: 'string' } },
    entitlements_more: { type: 'integer', minimum: 0 },
    entitlements_known: { type: 'boolean' },
    scopes: { type: 'array', items: { type: 'string' } },
    missing_scopes: { type: 'array', items: { type: 'string' } },
    signed_in_at: { type: ['string', 'null'], pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
    access_expires_at: { type: ['string', 'null'], pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
    expires_in: { type: ['integer', 'null'] },
    refreshable: { type: 'boolean' },
    storage: { type: 'string', enum: ['keyring', 'encrypted-file', 'memory', 'database', 'unsaved', 'other'] },
    retry_at: { type: ['string', 'null'], pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
    apis: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'readiness', 'allowed', 'missing'],
        properties: {
          name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
          readiness: {
            type: 'string',
            enum: [
              'ready',
              'sign_in_needed',
              'expired',
              'renewal_delayed',
              'refused',
              'missing_entitlement',
              'unreachable',
              'other'
            ]
          },
          allowed: { type: 'boolean' },
          missing: { type: 'array', items: { type: 'string' } }
        }
      }
    },
    settings_pending: { type: 'boolean' },
    sharing: { type: 'string', enum: ['none', 'own-kernels', 'all-kernels', 'other'] },
    sign_in_under_way: { type: 'boolean' }
  }
};
const pattern23 = new RegExp('^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$', 'u');
function validate22(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.provider === undefined && (missing0 = 'provider')) ||
        (data.issuer === undefined && (missing0 = 'issuer')) ||
        (data.state === undefined && (missing0 = 'state')) ||
        (data.reason === undefined && (missing0 = 'reason')) ||
        (data.sequence === undefined && (missing0 = 'sequence')) ||
        (data.user === undefined && (missing0 = 'user')) ||
        (data.entitlements === undefined && (missing0 = 'entitlements')) ||
        (data.entitlements_more === undefined && (missing0 = 'entitlements_more')) ||
        (data.entitlements_known === undefined && (missing0 = 'entitlements_known')) ||
        (data.scopes === undefined && (missing0 = 'scopes')) ||
        (data.missing_scopes === undefined && (missing0 = 'missing_scopes')) ||
        (data.signed_in_at === undefined && (missing0 = 'signed_in_at')) ||
        (data.access_expires_at === undefined && (missing0 = 'access_expires_at')) ||
        (data.expires_in === undefined && (missing0 = 'expires_in')) ||
        (data.refreshable === undefined && (missing0 = 'refreshable')) ||
        (data.storage === undefined && (missing0 = 'storage')) ||
        (data.retry_at === undefined && (missing0 = 'retry_at')) ||
        (data.apis === undefined && (missing0 = 'apis')) ||
        (data.settings_pending === undefined && (missing0 = 'settings_pending')) ||
        (data.sharing === undefined && (missing0 = 'sharing')) ||
        (data.sign_in_under_way === undefined && (missing0 = 'sign_in_under_way'))
      ) {
        validate22.errors = [0];
        return false;
      } else {
        if (data.provider !== undefined) {
          let data0 = data.provider;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (typeof data0 === 'string') {
              if (!pattern0.test(data0)) {
                validate22.errors = [0];
                return false;
              }
            } else {
              validate22.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.issuer !== undefined) {
            let data1 = data.issuer;
            const _errs3 = errors;
            if (errors === _errs3) {
              if (typeof data1 === 'string') {
                if (data1.length < 1) {
                  validate22.errors = [0];
                  return false;
                }
              } else {
                validate22.errors = [0];
                return false;
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.state !== undefined) {
              let data2 = data.state;
              const _errs5 = errors;
              if (typeof data2 !== 'string') {
                validate22.errors = [0];
                return false;
              }
              if (!(
                data2 === 'signed-out' ||
                data2 === 'signing-in' ||
                data2 === 'active' ||
                data2 === 'refresh-failed' ||
                data2 === 'signed-out-expired' ||
                data2 === 'other'
              )) {
                validate22.errors = [0];
                return false;
              }
              var valid0 = _errs5 === errors;
            } else {
              var valid0 = true;
            }
            if (valid0) {
              if (data.reason !== undefined) {
                let data3 = data.reason;
                const _errs7 = errors;
                if (typeof data3 !== 'string' && data3 !== null) {
                  validate22.errors = [0];
                  return false;
                }
                var valid0 = _errs7 === errors;
              } else {
                var valid0 = true;
              }
              if (valid0) {
                if (data.sequence !== undefined) {
                  let data4 = data.sequence;
                  const _errs9 = errors;
                  if (!(typeof data4 == 'number' && !(data4 % 1) && !isNaN(data4) && isFinite(data4))) {
                    validate22.errors = [0];
                    return false;
                  }
                  if (errors === _errs9) {
                    if (typeof data4 == 'number' && isFinite(data4)) {
                      if (data4 < 0 || isNaN(data4)) {
                        validate22.errors = [0];
                        return false;
                      }
                    }
                  }
                  var valid0 = _errs9 === errors;
                } else {
                  var valid0 = true;
                }
                if (valid0) {
                  if (data.user !== undefined) {
                    let data5 = data.user;
                    const _errs11 = errors;
                    const _errs12 = errors;
                    let valid1 = false;
                    const _errs13 = errors;
                    if (data5 !== null) {
                      const err0 = {
                        instancePath: instancePath + '/user',
                        schemaPath: '#/properties/user/anyOf/0/type',
                        keyword: 'type',
                        params: { type: 'null' }
                      };
                      if (vErrors === null) {
                        vErrors = [err0];
                      } else {
                        vErrors.push(err0);
                      }
                      errors++;
                    }
                    var _valid0 = _errs13 === errors;
                    valid1 = valid1 || _valid0;
                    if (!valid1) {
                      const _errs15 = errors;
                      if (errors === _errs15) {
                        if (data5 && typeof data5 == 'object' && !Array.isArray(data5)) {
                          let missing1;
                          if (
                            (data5.sub === undefined && (missing1 = 'sub')) ||
                            (data5.name === undefined && (missing1 = 'name')) ||
                            (data5.username === undefined && (missing1 = 'username')) ||
                            (data5.email === undefined && (missing1 = 'email')) ||
                            (data5.email_verified === undefined && (missing1 = 'email_verified')) ||
                            (data5.picture === undefined && (missing1 = 'picture'))
                          ) {
                            const err1 = {
                              instancePath: instancePath + '/user',
                              schemaPath: '#/properties/user/anyOf/1/required',
                              keyword: 'required',
                              params: { missingProperty: missing1 }
                            };
                            if (vErrors === null) {
                              vErrors = [err1];
                            } else {
                              vErrors.push(err1);
                            }
                            errors++;
                          } else {
                            if (data5.sub !== undefined) {
                              let data6 = data5.sub;
                              const _errs17 = errors;
                              if (errors === _errs17) {
                                if (typeof data6 === 'string') {
                                  if (data6.length > 255) {
                                    const err2 = {
                                      instancePath: instancePath + '/user/sub',
                                      schemaPath: '#/properties/user/anyOf/1/properties/sub/maxLength',
                                      keyword: 'maxLength',
                                      params: { limit: 255 }
                                    };
                                    if (vErrors === null) {
                                      vErrors = [err2];
                                    } else {
                                      vErrors.push(err2);
                                    }
                                    errors++;
                                  } else {
                                    if (data6.length < 1) {
                                      const err3 = {
                                        instancePath: instancePath + '/user/sub',
                                        schemaPath: '#/properties/user/anyOf/1/properties/sub/minLength',
                                        keyword: 'minLength',
                                        params: { limit: 1 }
                                      };
                                      if (vErrors === null) {
                                        vErrors = [err3];
                                      } else {
                                        vErrors.push(err3);
                                      }
                                      errors++;
                                    }
                                  }
                                } else {
                                  const err4 = {
                                    instancePath: instancePath + '/user/sub',
                                    schemaPath: '#/properties/user/anyOf/1/properties/sub/type',
                                    keyword: 'type',
                                    params: { type: 'string' }
                                  };
                                  if (vErrors === null) {
                                    vErrors = [err4];
                                  } else {
                                    vErrors.push(err4);
                                  }
                                  errors++;
                                }
                              }
                              var valid2 = _errs17 === errors;
                            } else {
                              var valid2 = true;
                            }
                            if (valid2) {
                              if (data5.name !== undefined) {
                                let data7 = data5.name;
                                const _errs19 = errors;
                                if (typeof data7 !== 'string' && data7 !== null) {
                                  const err5 = {
                                    instancePath: instancePath + '/user/name',
                                    schemaPath: '#/properties/user/anyOf/1/properties/name/type',
                                    keyword: 'type',
                                    params: { type: schema23.properties.user.anyOf[1].properties.name.type }
                                  };
                                  if (vErrors === null) {
                                    vErrors = [err5];
                                  } else {
                                    vErrors.push(err5);
                                  }
                                  errors++;
                                }
                                var valid2 = _errs19 === errors;
                              } else {
                                var valid2 = true;
                              }
                              if (valid2) {
                                if (data5.username !== undefined) {
                                  let data8 = data5.username;
                                  const _errs21 = errors;
                                  if (typeof data8 !== 'string' && data8 !== null) {
                                    const err6 = {
                                      instancePath: instancePath + '/user/username',
                                      schemaPath: '#/properties/user/anyOf/1/properties/username/type',
                                      keyword: 'type',
                                      params: { type: schema23.properties.user.anyOf[1].properties.username.type }
                                    };
                                    if (vErrors === null) {
                                      vErrors = [err6];
                                    } else {
                                      vErrors.push(err6);
                                    }
                                    errors++;
                                  }
                                  var valid2 = _errs21 === errors;
                                } else {
                                  var valid2 = true;
                                }
                                if (valid2) {
                                  if (data5.email !== undefined) {
                                    let data9 = data5.email;
                                    const _errs23 = errors;
                                    if (typeof data9 !== 'string' && data9 !== null) {
                                      const err7 = {
                                        instancePath: instancePath + '/user/email',
                                        schemaPath: '#/properties/user/anyOf/1/properties/email/type',
                                        keyword: 'type',
                                        params: { type: schema23.properties.user.anyOf[1].properties.email.type }
                                      };
                                      if (vErrors === null) {
                                        vErrors = [err7];
                                      } else {
                                        vErrors.push(err7);
                                      }
                                      errors++;
                                    }
                                    var valid2 = _errs23 === errors;
                                  } else {
                                    var valid2 = true;
                                  }
                                  if (valid2) {
                                    if (data5.email_verified !== undefined) {
                                      const _errs25 = errors;
                                      if (typeof data5.email_verified !== 'boolean') {
                                        const err8 = {
                                          instancePath: instancePath + '/user/email_verified',
                                          schemaPath: '#/properties/user/anyOf/1/properties/email_verified/type',
                                          keyword: 'type',
                                          params: { type: 'boolean' }
                                        };
                                        if (vErrors === null) {
                                          vErrors = [err8];
                                        } else {
                                          vErrors.push(err8);
                                        }
                                        errors++;
                                      }
                                      var valid2 = _errs25 === errors;
                                    } else {
                                      var valid2 = true;
                                    }
                                    if (valid2) {
                                      if (data5.picture !== undefined) {
                                        let data11 = data5.picture;
                                        const _errs27 = errors;
                                        if (typeof data11 !== 'string' && data11 !== null) {
                                          const err9 = {
                                            instancePath: instancePath + '/user/picture',
                                            schemaPath: '#/properties/user/anyOf/1/properties/picture/type',
                                            keyword: 'type',
                                            params: { type: schema23.properties.user.anyOf[1].properties.picture.type }
                                          };
                                          if (vErrors === null) {
                                            vErrors = [err9];
                                          } else {
                                            vErrors.push(err9);
                                          }
                                          errors++;
                                        }
                                        var valid2 = _errs27 === errors;
                                      } else {
                                        var valid2 = true;
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          }
                        } else {
                          const err10 = {
                            instancePath: instancePath + '/user',
                            schemaPath: '#/properties/user/anyOf/1/type',
                            keyword: 'type',
                            params: { type: 'object' }
                          };
                          if (vErrors === null) {
                            vErrors = [err10];
                          } else {
                            vErrors.push(err10);
                          }
                          errors++;
                        }
                      }
                      var _valid0 = _errs15 === errors;
                      valid1 = valid1 || _valid0;
                    }
                    if (!valid1) {
                      const err11 = {
                        instancePath: instancePath + '/user',
                        schemaPath: '#/properties/user/anyOf',
                        keyword: 'anyOf',
                        params: {}
                      };
                      if (vErrors === null) {
                        vErrors = [err11];
                      } else {
                        vErrors.push(err11);
                      }
                      errors++;
                      validate22.errors = vErrors;
                      return false;
                    } else {
                      errors = _errs12;
                      if (vErrors !== null) {
                        if (_errs12) {
                          vErrors.length = _errs12;
                        } else {
                          vErrors = null;
                        }
                      }
                    }
                    var valid0 = _errs11 === errors;
                  } else {
                    var valid0 = true;
                  }
                  if (valid0) {
                    if (data.entitlements !== undefined) {
                      let data12 = data.entitlements;
                      const _errs29 = errors;
                      if (errors === _errs29) {
                        if (Array.isArray(data12)) {
                          var valid3 = true;
                          const len0 = data12.length;
                          for (let i0 = 0; i0 < len0; i0++) {
                            const _errs31 = errors;
                            if (typeof data12[i0] !== 'string') {
                              validate22.errors = [0];
                              return false;
                            }
                            var valid3 = _errs31 === errors;
                            if (!valid3) {
                              break;
                            }
                          }
                        } else {
                          validate22.errors = [0];
                          return false;
                        }
                      }
                      var valid0 = _errs29 === errors;
                    } else {
                      var valid0 = true;
                    }
                    if (valid0) {
                      if (data.entitlements_more !== undefined) {
                        let data14 = data.entitlements_more;
                        const _errs33 = errors;
                        if (!(typeof data14 == 'number' && !(data14 % 1) && !isNaN(data14) && isFinite(data14))) {
                          validate22.errors = [0];
                          return false;
                        }
                        if (errors === _errs33) {
                          if (typeof data14 == 'number' && isFinite(data14)) {
                            if (data14 < 0 || isNaN(data14)) {
                              validate22.errors = [0];
                              return false;
                            }
                          }
                        }
                        var valid0 = _errs33 === errors;
                      } else {
                        var valid0 = true;
                      }
                      if (valid0) {
                        if (data.entitlements_known !== undefined) {
                          const _errs35 = errors;
                          if (typeof data.entitlements_known !== 'boolean') {
                            validate22.errors = [0];
                            return false;
                          }
                          var valid0 = _errs35 === errors;
                        } else {
                          var valid0 = true;
                        }
                        if (valid0) {
                          if (data.scopes !== undefined) {
                            let data16 = data.scopes;
                            const _errs37 = errors;
                            if (errors === _errs37) {
                              if (Array.isArray(data16)) {
                                var valid4 = true;
                                const len1 = data16.length;
                                for (let i1 = 0; i1 < len1; i1++) {
                                  const _errs39 = errors;
                                  if (typeof data16[i1] !== 'string') {
                                    validate22.errors = [0];
                                    return false;
                                  }
                                  var valid4 = _errs39 === errors;
                                  if (!valid4) {
                                    break;
                                  }
                                }
                              } else {
                                validate22.errors = [0];
                                return false;
                              }
                            }
                            var valid0 = _errs37 === errors;
                          } else {
                            var valid0 = true;
                          }
                          if (valid0) {
                            if (data.missing_scopes !== undefined) {
                              let data18 = data.missing_scopes;
                              const _errs41 = errors;
                              if (errors === _errs41) {
                                if (Array.isArray(data18)) {
                                  var valid5 = true;
                                  const len2 = data18.length;
                                  for (let i2 = 0; i2 < len2; i2++) {
                                    const _errs43 = errors;
                                    if (typeof data18[i2] !== 'string') {
                                      validate22.errors = [0];
                                      return false;
                                    }
                                    var valid5 = _errs43 === errors;
                                    if (!valid5) {
                                      break;
                                    }
                                  }
                                } else {
                                  validate22.errors = [0];
                                  return false;
                                }
                              }
                              var valid0 = _errs41 === errors;
                            } else {
                              var valid0 = true;
                            }
                            if (valid0) {
                              if (data.signed_in_at !== undefined) {
                                let data20 = data.signed_in_at;
                                const _errs45 = errors;
                                if (typeof data20 !== 'string' && data20 !== null) {
                                  validate22.errors = [0];
                                  return false;
                                }
                                if (errors === _errs45) {
                                  if (typeof data20 === 'string') {
                                    if (!pattern23.test(data20)) {
                                      validate22.errors = [0];
                                      return false;
                                    }
                                  }
                                }
                                var valid0 = _errs45 === errors;
                              } else {
                                var valid0 = true;
                              }
                              if (valid0) {
                                if (data.access_expires_at !== undefined) {
                                  let data21 = data.access_expires_at;
                                  const _errs47 = errors;
                                  if (typeof data21 !== 'string' && data21 !== null) {
                                    validate22.errors = [0];
                                    return false;
                                  }
                                  if (errors === _errs47) {
                                    if (typeof data21 === 'string') {
                                      if (!pattern23.test(data21)) {
                                        validate22.errors = [0];
                                        return false;
                                      }
                                    }
                                  }
                                  var valid0 = _errs47 === errors;
                                } else {
                                  var valid0 = true;
                                }
                                if (valid0) {
                                  if (data.expires_in !== undefined) {
                                    let data22 = data.expires_in;
                                    const _errs49 = errors;
                                    if (
                                      !(
                                        typeof data22 == 'number' &&
                                        !(data22 % 1) &&
                                        !isNaN(data22) &&
                                        isFinite(data22)
                                      ) &&
                                      data22 !== null
                                    ) {
                                      validate22.errors = [0];
                                      return false;
                                    }
                                    var valid0 = _errs49 === errors;
                                  } else {
                                    var valid0 = true;
                                  }
                                  if (valid0) {
                                    if (data.refreshable !== undefined) {
                                      const _errs51 = errors;
                                      if (typeof data.refreshable !== 'boolean') {
                                        validate22.errors = [0];
                                        return false;
                                      }
                                      var valid0 = _errs51 === errors;
                                    } else {
                                      var valid0 = true;
                                    }
                                    if (valid0) {
                                      if (data.storage !== undefined) {
                                        let data24 = data.storage;
                                        const _errs53 = errors;
                                        if (typeof data24 !== 'string') {
                                          validate22.errors = [0];
                                          return false;
                                        }
                                        if (!(
                                          data24 === 'keyring' ||
                                          data24 === 'encrypted-file' ||
                                          data24 === 'memory' ||
                                          data24 === 'database' ||
                                          data24 === 'unsaved' ||
                                          data24 === 'other'
                                        )) {
                                          validate22.errors = [0];
                                          return false;
                                        }
                                        var valid0 = _errs53 === errors;
                                      } else {
                                        var valid0 = true;
                                      }
                                      if (valid0) {
                                        if (data.retry_at !== undefined) {
                                          let data25 = data.retry_at;
                                          const _errs55 = errors;
                                          if (typeof data25 !== 'string' && data25 !== null) {
                                            validate22.errors = [0];
                                            return false;
                                          }
                                          if (errors === _errs55) {
                                            if (typeof data25 === 'string') {
                                              if (!pattern23.test(data25)) {
                                                validate22.errors = [0];
                                                return false;
                                              }
                                            }
                                          }
                                          var valid0 = _errs55 === errors;
                                        } else {
                                          var valid0 = true;
                                        }
                                        if (valid0) {
                                          if (data.apis !== undefined) {
                                            let data26 = data.apis;
                                            const _errs57 = errors;
                                            if (errors === _errs57) {
                                              if (Array.isArray(data26)) {
                                                var valid6 = true;
                                                const len3 = data26.length;
                                                for (let i3 = 0; i3 < len3; i3++) {
                                                  let data27 = data26[i3];
                                                  const _errs59 = errors;
                                                  if (errors === _errs59) {
                                                    if (data27 && typeof data27 == 'object' && !Array.isArray(data27)) {
                                                      let missing2;
                                                      if (
                                                        (data27.name === undefined && (missing2 = 'name')) ||
                                                        (data27.readiness === undefined && (missing2 = 'readiness')) ||
                                                        (data27.allowed === undefined && (missing2 = 'allowed')) ||
                                                        (data27.missing === undefined && (missing2 = 'missing'))
                                                      ) {
                                                        validate22.errors = [0];
                                                        return false;
                                                      } else {
                                                        if (data27.name !== undefined) {
                                                          let data28 = data27.name;
                                                          const _errs61 = errors;
                                                          if (errors === _errs61) {
                                                            if (typeof data28 === 'string') {
                                                              if (!pattern0.test(data28)) {
                                                                validate22.errors = [0];
                                                                return false;
                                                              }
                                                            } else {
                                                              validate22.errors = [0];
                                                              return false;
                                                            }
                                                          }
                                                          var valid7 = _errs61 === errors;
                                                        } else {
                                                          var valid7 = true;
                                                        }
                                                        if (valid7) {
                                                          if (data27.readiness !== undefined) {
                                                            let data29 = data27.readiness;
                                                            const _errs63 = errors;
                                                            if (typeof data29 !== 'string') {
                                                              validate22.errors = [0];
                                                              return false;
                                                            }
                                                            if (!(
                                                              data29 === 'ready' ||
                                                              data29 === 'sign_in_needed' ||
                                                              data29 === 'expired' ||
                                                              data29 === 'renewal_delayed' ||
                                                              data29 === 'refused' ||
                                                              data29 === 'missing_entitlement' ||
                                                              data29 === 'unreachable' ||
                                                              data29 === 'other'
                                                            )) {
                                                              validate22.errors = [0];
                                                              return false;
                                                            }
                                                            var valid7 = _errs63 === errors;
                                                          } else {
                                                            var valid7 = true;
                                                          }
                                                          if (valid7) {
                                                            if (data27.allowed !== undefined) {
                                                              const _errs65 = errors;
                                                              if (typeof data27.allowed !== 'boolean') {
                                                                validate22.errors = [0];
                                                                return false;
                                                              }
                                                              var valid7 = _errs65 === errors;
                                                            } else {
                                                              var valid7 = true;
                                                            }
                                                            if (valid7) {
                                                              if (data27.missing !== undefined) {
                                                                let data31 = data27.missing;
                                                                const _errs67 = errors;
                                                                if (errors === _errs67) {
                                                                  if (Array.isArray(data31)) {
                                                                    var valid8 = true;
                                                                    const len4 = data31.length;
                                                                    for (let i4 = 0; i4 < len4; i4++) {
                                                                      const _errs69 = errors;
                                                                      if (typeof data31[i4] !== 'string') {
                                                                        validate22.errors = [0];
                                                                        return false;
                                                                      }
                                                                      var valid8 = _errs69 === errors;
                                                                      if (!valid8) {
                                                                        break;
                                                                      }
                                                                    }
                                                                  } else {
                                                                    validate22.errors = [0];
                                                                    return false;
                                                                  }
                                                                }
                                                                var valid7 = _errs67 === errors;
                                                              } else {
                                                                var valid7 = true;
                                                              }
                                                            }
                                                          }
                                                        }
                                                      }
                                                    } else {
                                                      validate22.errors = [0];
                                                      return false;
                                                    }
                                                  }
                                                  var valid6 = _errs59 === errors;
                                                  if (!valid6) {
                                                    break;
                                                  }
                                                }
                                              } else {
                                                validate22.errors = [0];
                                                return false;
                                              }
                                            }
                                            var valid0 = _errs57 === errors;
                                          } else {
                                            var valid0 = true;
                                          }
                                          if (valid0) {
                                            if (data.settings_pending !== undefined) {
                                              const _errs71 = errors;
                                              if (typeof data.settings_pending !== 'boolean') {
                                                validate22.errors = [0];
                                                return false;
                                              }
                                              var valid0 = _errs71 === errors;
                                            } else {
                                              var valid0 = true;
                                            }
                                            if (valid0) {
                                              if (data.sharing !== undefined) {
                                                let data34 = data.sharing;
                                                const _errs73 = errors;
                                                if (typeof data34 !== 'string') {
                                                  validate22.errors = [0];
                                                  return false;
                                                }
                                                if (!(
                                                  data34 === 'none' ||
                                                  data34 === 'own-kernels' ||
                                                  data34 === 'all-kernels' ||
                                                  data34 === 'other'
                                                )) {
                                                  validate22.errors = [0];
                                                  return false;
                                                }
                                                var valid0 = _errs73 === errors;
                                              } else {
                                                var valid0 = true;
                                              }
                                              if (valid0) {
                                                if (data.sign_in_under_way !== undefined) {
                                                  const _errs75 = errors;
                                                  if (typeof data.sign_in_under_way !== 'boolean') {
                                                    validate22.errors = [0];
                                                    return false;
                                                  }
                                                  var valid0 = _errs75 === errors;
                                                } else {
                                                  var valid0 = true;
                                                }
                                              }
                                            }
                                          }
                                        }
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          }
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    } else {
      validate22.errors = [0];
      return false;
    }
  }
  validate22.errors = vErrors;
  return errors === 0;
}
export const isSignInProgress = validate23;
const schema24 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['flow', 'provider', 'state', 'error', 'expires_in'],
  properties: {
    flow: { type: 'string', pattern: '^[A-Za-z0-9_-]{16,64}$' },
    provider: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
    state: { type: 'string', enum: ['waiting', 'completed', 'failed', 'cancelled', 'expired', 'other'] },
    error: {
      anyOf: [
        { type: 'null' },
        {
          type: 'object',
          required: [
            'code',
            'message',
            'action',
            'retryable',
            'request_id',
            'reason',
            'type',
            'title',
            'status',
            'detail',
            'params'
          ],
          properties: {
            code: {
              type: 'string',
              enum: [
                'request_invalid',
                'bad_path',
                'bad_header',
                'state_invalid',
                'state_used',
                'response_malformed',
                'logout_token_invalid',
                'client_too_slow',
                'body_too_large',
                'headers_too_large',
                'sign_in_cancelled',
                'sign_in_declined',
                'sign_in_refused',
                'not_signed_in',
                'session_expired',
                'step_up_required',
                'grant_invalid',
                'csrf_failed',
                'forbidden',
                'route_forbidden',
                'caller_forbidden',
                'unknown_provider',
                'unknown_api',
                'no_operations',
                'unknown_flow',
                'method_not_allowed',
                'issuer_mismatch',
                'discovery_failed',
                'token_response_invalid',
                'id_token_rejected',
                'userinfo_rejected',
                'audience_refused',
                'clock_skew',
                'tls_untrusted',
                'egress_proxy_auth',
                'idp_unavailable',
                'upstream_unreachable',
                'upstream_protocol_error',
                'upstream_timeout',
                'openapi_invalid',
                'configuration_invalid',
                'storage_unavailable',
                'overloaded',
                'broker_unavailable',
                'other'
              ]
            },
            message: { type: 'string', minLength: 1 },
            action: { type: 'string', minLength: 1 },
            retryable: { type: 'boolean' },
            request_id: { type: 'string', pattern: '^[A-Za-z0-9_-]{8,64}$' },
            reason: { type: 'string', minLength: 1 },
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: ['integer', 'null'] },
            detail: { type: 'string' },
            params: {
              type: 'object',
              additionalProperties: { type: ['string', 'number', 'array'], items: { type: 'string' } }
            }
          }
        }
      ]
    },
    expires_in: { type: 'integer', minimum: 0 }
  }
};
const pattern27 = new RegExp('^[A-Za-z0-9_-]{16,64}$', 'u');
function validate23(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.flow === undefined && (missing0 = 'flow')) ||
        (data.provider === undefined && (missing0 = 'provider')) ||
        (data.state === undefined && (missing0 = 'state')) ||
        (data.error === undefined && (missing0 = 'error')) ||
        (data.expires_in === undefined && (missing0 = 'expires_in'))
      ) {
        validate23.errors = [0];
        return false;
      } else {
        if (data.flow !== undefined) {
          let data0 = data.flow;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (typeof data0 === 'string') {
              if (!pattern27.test(data0)) {
                validate23.errors = [0];
                return false;
              }
            } else {
              validate23.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.provider !== undefined) {
            let data1 = data.provider;
            const _errs3 = errors;
            if (errors === _errs3) {
              if (typeof data1 === 'string') {
                if (!pattern0.test(data1)) {
                  validate23.errors = [0];
                  return false;
                }
              } else {
                validate23.errors = [0];
                return false;
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.state !== undefined) {
              let data2 = data.state;
              const _errs5 = errors;
              if (typeof data2 !== 'string') {
                validate23.errors = [0];
                return false;
              }
              if (!(
                data2 === 'waiting' ||
                data2 === 'completed' ||
                data2 === 'failed' ||
                data2 === 'cancelled' ||
                data2 === 'expired' ||
                data2 === 'other'
              )) {
                validate23.errors = [0];
                return false;
              }
              var valid0 = _errs5 === errors;
            } else {
              var valid0 = true;
            }
            if (valid0) {
              if (data.error !== undefined) {
                let data3 = data.error;
                const _errs7 = errors;
                const _errs8 = errors;
                let valid1 = false;
                const _errs9 = errors;
                if (data3 !== null) {
                  const err0 = {
                    instancePath: instancePath + '/error',
                    schemaPath: '#/properties/error/anyOf/0/type',
                    keyword: 'type',
                    params: { type: 'null' }
                  };
                  if (vErrors === null) {
                    vErrors = [err0];
                  } else {
                    vErrors.push(err0);
                  }
                  errors++;
                }
                var _valid0 = _errs9 === errors;
                valid1 = valid1 || _valid0;
                if (!valid1) {
                  const _errs11 = errors;
                  if (errors === _errs11) {
                    if (data3 && typeof data3 == 'object' && !Array.isArray(data3)) {
                      let missing1;
                      if (
                        (data3.code === undefined && (missing1 = 'code')) ||
                        (data3.message === undefined && (missing1 = 'message')) ||
                        (data3.action === undefined && (missing1 = 'action')) ||
                        (data3.retryable === undefined && (missing1 = 'retryable')) ||
                        (data3.request_id === undefined && (missing1 = 'request_id')) ||
                        (data3.reason === undefined && (missing1 = 'reason')) ||
                        (data3.type === undefined && (missing1 = 'type')) ||
                        (data3.title === undefined && (missing1 = 'title')) ||
                        (data3.status === undefined && (missing1 = 'status')) ||
                        (data3.detail === undefined && (missing1 = 'detail')) ||
                        (data3.params === undefined && (missing1 = 'params'))
                      ) {
                        const err1 = {
                          instancePath: instancePath + '/error',
                          schemaPath: '#/properties/error/anyOf/1/required',
                          keyword: 'required',
                          params: { missingProperty: missing1 }
                        };
                        if (vErrors === null) {
                          vErrors = [err1];
                        } else {
                          vErrors.push(err1);
                        }
                        errors++;
                      } else {
                        if (data3.code !== undefined) {
                          let data4 = data3.code;
                          const _errs13 = errors;
                          if (typeof data4 !== 'string') {
                            const err2 = {
                              instancePath: instancePath + '/error/code',
                              schemaPath: '#/properties/error/anyOf/1/properties/code/type',
                              keyword: 'type',
                              params: { type: 'string' }
                            };
                            if (vErrors === null) {
                              vErrors = [err2];
                            } else {
                              vErrors.push(err2);
                            }
                            errors++;
                          }
                          if (!(
                            data4 === 'request_invalid' ||
                            data4 === 'bad_path' ||
                            data4 === 'bad_header' ||
                            data4 === 'state_invalid' ||
                            data4 === 'state_used' ||
                            data4 === 'response_malformed' ||
                            data4 === 'logout_token_invalid' ||
                            data4 === 'client_too_slow' ||
                            data4 === 'body_too_large' ||
                            data4 === 'headers_too_large' ||
                            data4 === 'sign_in_cancelled' ||
                            data4 === 'sign_in_declined' ||
                            data4 === 'sign_in_refused' ||
                            data4 === 'not_signed_in' ||
                            data4 === 'session_expired' ||
                            data4 === 'step_up_required' ||
                            data4 === 'grant_invalid' ||
                            data4 === 'csrf_failed' ||
                            data4 === 'forbidden' ||
                            data4 === 'route_forbidden' ||
                            data4 === 'caller_forbidden' ||
                            data4 === 'unknown_provider' ||
                            data4 === 'unknown_api' ||
                            data4 === 'no_operations' ||
                            data4 === 'unknown_flow' ||
                            data4 === 'method_not_allowed' ||
                            data4 === 'issuer_mismatch' ||
                            data4 === 'discovery_failed' ||
                            data4 === 'token_response_invalid' ||
                            data4 === 'id_token_rejected' ||
                            data4 === 'userinfo_rejected' ||
                            data4 === 'audience_refused' ||
                            data4 === 'clock_skew' ||
                            data4 === 'tls_untrusted' ||
                            data4 === 'egress_proxy_auth' ||
                            data4 === 'idp_unavailable' ||
                            data4 === 'upstream_unreachable' ||
                            data4 === 'upstream_protocol_error' ||
                            data4 === 'upstream_timeout' ||
                            data4 === 'openapi_invalid' ||
                            data4 === 'configuration_invalid' ||
                            data4 === 'storage_unavailable' ||
                            data4 === 'overloaded' ||
                            data4 === 'broker_unavailable' ||
                            data4 === 'other'
                          )) {
                            const err3 = {
                              instancePath: instancePath + '/error/code',
                              schemaPath: '#/properties/error/anyOf/1/properties/code/enum',
                              keyword: 'enum',
                              params: { allowedValues: schema24.properties.error.anyOf[1].properties.code.enum }
                            };
                            if (vErrors === null) {
                              vErrors = [err3];
                            } else {
                              vErrors.push(err3);
                            }
                            errors++;
                          }
                          var valid2 = _errs13 === errors;
                        } else {
                          var valid2 = true;
                        }
                        if (valid2) {
                          if (data3.message !== undefined) {
                            let data5 = data3.message;
                            const _errs15 = errors;
                            if (errors === _errs15) {
                              if (typeof data5 === 'string') {
                                if (data5.length < 1) {
                                  const err4 = {
                                    instancePath: instancePath + '/error/message',
                                    schemaPath: '#/properties/error/anyOf/1/properties/message/minLength',
                                    keyword: 'minLength',
                                    params: { limit: 1 }
                                  };
                                  if (vErrors === null) {
                                    vErrors = [err4];
                                  } else {
                                    vErrors.push(err4);
                                  }
                                  errors++;
                                }
                              } else {
                                const err5 = {
                                  instancePath: instancePath + '/error/message',
                                  schemaPath: '#/properties/error/anyOf/1/properties/message/type',
                                  keyword: 'type',
                                  params: { type: 'string' }
                                };
                                if (vErrors === null) {
                                  vErrors = [err5];
                                } else {
                                  vErrors.push(err5);
                                }
                                errors++;
                              }
                            }
                            var valid2 = _errs15 === errors;
                          } else {
                            var valid2 = true;
                          }
                          if (valid2) {
                            if (data3.action !== undefined) {
                              let data6 = data3.action;
                              const _errs17 = errors;
                              if (errors === _errs17) {
                                if (typeof data6 === 'string') {
                                  if (data6.length < 1) {
                                    const err6 = {
                                      instancePath: instancePath + '/error/action',
                                      schemaPath: '#/properties/error/anyOf/1/properties/action/minLength',
                                      keyword: 'minLength',
                                      params: { limit: 1 }
                                    };
                                    if (vErrors === null) {
                                      vErrors = [err6];
                                    } else {
                                      vErrors.push(err6);
                                    }
                                    errors++;
                                  }
                                } else {
                                  const err7 = {
                                    instancePath: instancePath + '/error/action',
                                    schemaPath: '#/properties/error/anyOf/1/properties/action/type',
                                    keyword: 'type',
                                    params: { type: 'string' }
                                  };
                                  if (vErrors === null) {
                                    vErrors = [err7];
                                  } else {
                                    vErrors.push(err7);
                                  }
                                  errors++;
                                }
                              }
                              var valid2 = _errs17 === errors;
                            } else {
                              var valid2 = true;
                            }
                            if (valid2) {
                              if (data3.retryable !== undefined) {
                                const _errs19 = errors;
                                if (typeof data3.retryable !== 'boolean') {
                                  const err8 = {
                                    instancePath: instancePath + '/error/retryable',
                                    schemaPath: '#/properties/error/anyOf/1/properties/retryable/type',
                                    keyword: 'type',
                                    params: { type: 'boolean' }
                                  };
                                  if (vErrors === null) {
                                    vErrors = [err8];
                                  } else {
                                    vErrors.push(err8);
                                  }
                                  errors++;
                                }
                                var valid2 = _errs19 === errors;
                              } else {
                                var valid2 = true;
                              }
                              if (valid2) {
                                if (data3.request_id !== undefined) {
                                  let data8 = data3.request_id;
                                  const _errs21 = errors;
                                  if (errors === _errs21) {
                                    if (typeof data8 === 'string') {
                                      if (!pattern6.test(data8)) {
                                        const err9 = {
                                          instancePath: instancePath + '/error/request_id',
                                          schemaPath: '#/properties/error/anyOf/1/properties/request_id/pattern',
                                          keyword: 'pattern',
                                          params: { pattern: '^[A-Za-z0-9_-]{8,64}$' }
                                        };
                                        if (vErrors === null) {
                                          vErrors = [err9];
                                        } else {
                                          vErrors.push(err9);
                                        }
                                        errors++;
                                      }
                                    } else {
                                      const err10 = {
                                        instancePath: instancePath + '/error/request_id',
                                        schemaPath: '#/properties/error/anyOf/1/properties/request_id/type',
                                        keyword: 'type',
                                        params: { type: 'string' }
                                      };
                                      if (vErrors === null) {
                                        vErrors = [err10];
                                      } else {
                                        vErrors.push(err10);
                                      }
                                      errors++;
                                    }
                                  }
                                  var valid2 = _errs21 === errors;
                                } else {
                                  var valid2 = true;
                                }
                                if (valid2) {
                                  if (data3.reason !== undefined) {
                                    let data9 = data3.reason;
                                    const _errs23 = errors;
                                    if (errors === _errs23) {
                                      if (typeof data9 === 'string') {
                                        if (data9.length < 1) {
                                          const err11 = {
                                            instancePath: instancePath + '/error/reason',
                                            schemaPath: '#/properties/error/anyOf/1/properties/reason/minLength',
                                            keyword: 'minLength',
                                            params: { limit: 1 }
                                          };
                                          if (vErrors === null) {
                                            vErrors = [err11];
                                          } else {
                                            vErrors.push(err11);
                                          }
                                          errors++;
                                        }
                                      } else {
                                        const err12 = {
                                          instancePath: instancePath + '/error/reason',
                                          schemaPath: '#/properties/error/anyOf/1/properties/reason/type',
                                          keyword: 'type',
                                          params: { type: 'string' }
                                        };
                                        if (vErrors === null) {
                                          vErrors = [err12];
                                        } else {
                                          vErrors.push(err12);
                                        }
                                        errors++;
                                      }
                                    }
                                    var valid2 = _errs23 === errors;
                                  } else {
                                    var valid2 = true;
                                  }
                                  if (valid2) {
                                    if (data3.type !== undefined) {
                                      const _errs25 = errors;
                                      if (typeof data3.type !== 'string') {
                                        const err13 = {
                                          instancePath: instancePath + '/error/type',
                                          schemaPath: '#/properties/error/anyOf/1/properties/type/type',
                                          keyword: 'type',
                                          params: { type: 'string' }
                                        };
                                        if (vErrors === null) {
                                          vErrors = [err13];
                                        } else {
                                          vErrors.push(err13);
                                        }
                                        errors++;
                                      }
                                      var valid2 = _errs25 === errors;
                                    } else {
                                      var valid2 = true;
                                    }
                                    if (valid2) {
                                      if (data3.title !== undefined) {
                                        const _errs27 = errors;
                                        if (typeof data3.title !== 'string') {
                                          const err14 = {
                                            instancePath: instancePath + '/error/title',
                                            schemaPath: '#/properties/error/anyOf/1/properties/title/type',
                                            keyword: 'type',
                                            params: { type: 'string' }
                                          };
                                          if (vErrors === null) {
                                            vErrors = [err14];
                                          } else {
                                            vErrors.push(err14);
                                          }
                                          errors++;
                                        }
                                        var valid2 = _errs27 === errors;
                                      } else {
                                        var valid2 = true;
                                      }
                                      if (valid2) {
                                        if (data3.status !== undefined) {
                                          let data12 = data3.status;
                                          const _errs29 = errors;
                                          if (
                                            !(
                                              typeof data12 == 'number' &&
                                              !(data12 % 1) &&
                                              !isNaN(data12) &&
                                              isFinite(data12)
                                            ) &&
                                            data12 !== null
                                          ) {
                                            const err15 = {
                                              instancePath: instancePath + '/error/status',
                                              schemaPath: '#/properties/error/anyOf/1/properties/status/type',
                                              keyword: 'type',
                                              params: {
                                                type: schema24.properties.error.anyOf[1].properties.status.type
                                              }
                                            };
                                            if (vErrors === null) {
                                              vErrors = [err15];
                                            } else {
                                              vErrors.push(err15);
                                            }
                                            errors++;
                                          }
                                          var valid2 = _errs29 === errors;
                                        } else {
                                          var valid2 = true;
                                        }
                                        if (valid2) {
                                          if (data3.detail !== undefined) {
                                            const _errs31 = errors;
                                            if (typeof data3.detail !== 'string') {
                                              const err16 = {
                                                instancePath: instancePath + '/error/detail',
                                                schemaPath: '#/properties/error/anyOf/1/properties/detail/type',
                                                keyword: 'type',
                                                params: { type: 'string' }
                                              };
                                              if (vErrors === null) {
                                                vErrors = [err16];
                                              } else {
                                                vErrors.push(err16);
                                              }
                                              errors++;
                                            }
                                            var valid2 = _errs31 === errors;
                                          } else {
                                            var valid2 = true;
                                          }
                                          if (valid2) {
                                            if (data3.params !== undefined) {
                                              let data14 = data3.params;
                                              const _errs33 = errors;
                                              if (errors === _errs33) {
                                                if (data14 && typeof data14 == 'object' && !Array.isArray(data14)) {
                                                  for (const key0 in data14) {
                                                    let data15 = data14[key0];
                                                    const _errs36 = errors;
                                                    if (
                                                      typeof data15 !== 'string' &&
                                                      !(typeof data15 == 'number' && isFinite(data15)) &&
                                                      !Array.isArray(data15)
                                                    ) {
                                                      const err17 = {
                                                        instancePath:
                                                          instancePath +
                                                          '/error/params/' +
                                                          key0.replace(/~/g, '~0').replace(/\//g, '~1'),
                                                        schemaPath:
                                                          '#/properties/error/anyOf/1/properties/params/additionalProperties/type',
                                                        keyword: 'type',
                                                        params: {
                                                          type: schema24.properties.error.anyOf[1].properties.params
                                                            .additionalProperties.type
                                                        }
                                                      };
                                                      if (vErrors === null) {
                                                        vErrors = [err17];
                                                      } else {
                                                        vErrors.push(err17);
                                                      }
                                                      errors++;
                                                    }
                                                    if (errors === _errs36) {
                                                      if (Array.isArray(data15)) {
                                                        var valid4 = true;
                                                        const len0 = data15.length;
                                                        for (let i0 = 0; i0 < len0; i0++) {
                                                          const _errs38 = errors;
                                                          if (typeof data15[i0] !== 'string') {
                                                            const err18 = {
                                                              instancePath:
                                                                instancePath +
                                                                '/error/params/' +
                                                                key0.replace(/~/g, '~0').replace(/\//g, '~1') +
                                                                '/' +
                                                                i0,
                                                              schemaPath:
                                                                '#/properties/error/anyOf/1/properties/params/additionalProperties/items/type',
                                                              keyword: 'type',
                                                              params: { type: 'string' }
                                                            };
                                                            if (vErrors === null) {
                                                              vErrors = [err18];
                                                            } else {
                                                              vErrors.push(err18);
                                                            }
                                                            errors++;
                                                          }
                                                          var valid4 = _errs38 === errors;
                                                          if (!valid4) {
                                                            break;
                                                          }
                                                        }
                                                      }
                                                    }
                                                    var valid3 = _errs36 === errors;
                                                    if (!valid3) {
                                                      break;
                                                    }
                                                  }
                                                } else {
                                                  const err19 = {
                                                    instancePath: instancePath + '/error/params',
                                                    schemaPath: '#/properties/error/anyOf/1/properties/params/type',
                                                    keyword: 'type',
                                                    params: { type: 'object' }
                                                  };
                                                  if (vErrors === null) {
                                                    vErrors = [err19];
                                                  } else {
                                                    vErrors.push(err19);
                                                  }
                                                  errors++;
                                                }
                                              }
                                              var valid2 = _errs33 === errors;
                                            } else {
                                              var valid2 = true;
                                            }
                                          }
                                        }
                                      }
                                    }
                                  }
                                }
                              }
                            }
                          }
                        }
                      }
                    } else {
                      const err20 = {
                        instancePath: instancePath + '/error',
                        schemaPath: '#/properties/error/anyOf/1/type',
                        keyword: 'type',
                        params: { type: 'object' }
                      };
                      if (vErrors === null) {
                        vErrors = [err20];
                      } else {
                        vErrors.push(err20);
                      }
                      errors++;
                    }
                  }
                  var _valid0 = _errs11 === errors;
                  valid1 = valid1 || _valid0;
                }
                if (!valid1) {
                  const err21 = {
                    instancePath: instancePath + '/error',
                    schemaPath: '#/properties/error/anyOf',
                    keyword: 'anyOf',
                    params: {}
                  };
                  if (vErrors === null) {
                    vErrors = [err21];
                  } else {
                    vErrors.push(err21);
                  }
                  errors++;
                  validate23.errors = vErrors;
                  return false;
                } else {
                  errors = _errs8;
                  if (vErrors !== null) {
                    if (_errs8) {
                      vErrors.length = _errs8;
                    } else {
                      vErrors = null;
                    }
                  }
                }
                var valid0 = _errs7 === errors;
              } else {
                var valid0 = true;
              }
              if (valid0) {
                if (data.expires_in !== undefined) {
                  let data17 = data.expires_in;
                  const _errs40 = errors;
                  if (!(typeof data17 == 'number' && !(data17 % 1) && !isNaN(data17) && isFinite(data17))) {
                    validate23.errors = [0];
                    return false;
                  }
                  if (errors === _errs40) {
                    if (typeof data17 == 'number' && isFinite(data17)) {
                      if (data17 < 0 || isNaN(data17)) {
                        validate23.errors = [0];
                        return false;
                      }
                    }
                  }
                  var valid0 = _errs40 === errors;
                } else {
                  var valid0 = true;
                }
              }
            }
          }
        }
      }
    } else {
      validate23.errors = [0];
      return false;
    }
  }
  validate23.errors = vErrors;
  return errors === 0;
}
export const isSignInStarted = validate24;
const schema25 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['flow', 'provider', 'strategy', 'start_url', 'device', 'expires_in'],
  properties: {
    flow: { type: 'string', pattern: '^[A-Za-z0-9_-]{16,64}$' },
    provider: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
    strategy: { type: 'string', enum: ['server', 'loopback', 'device', 'paste', 'other'] },
    start_url: { type: ['string', 'null'] },
    start_address: { type: ['string', 'null'], pattern: '^https?://' },
    device: {
      anyOf: [
        { type: 'null' },
        {
          type: 'object',
          required: ['user_code', 'verification_uri', 'verification_uri_complete'],
          properties: {
            user_code: { type: 'string', minLength: 1 },
            verification_uri: { type: 'string', minLength: 1 },
            verification_uri_complete: { type: ['string', 'null'] }
          }
        }
      ]
    },
    expires_in: { type: 'integer', minimum: 0 }
  }
};
function validate24(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.flow === undefined && (missing0 = 'flow')) ||
        (data.provider === undefined && (missing0 = 'provider')) ||
        (data.strategy === undefined && (missing0 = 'strategy')) ||
        (data.start_url === undefined && (missing0 = 'start_url')) ||
        (data.device === undefined && (missing0 = 'device')) ||
        (data.expires_in === undefined && (missing0 = 'expires_in'))
      ) {
        validate24.errors = [0];
        return false;
      } else {
        if (data.flow !== undefined) {
          let data0 = data.flow;
          const _errs1 = errors;
          if (errors === _errs1) {
            if (typeof data0 === 'string') {
              if (!pattern27.test(data0)) {
                validate24.errors = [0];
                return false;
              }
            } else {
              validate24.errors = [0];
              return false;
            }
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.provider !== undefined) {
            let data1 = data.provider;
            const _errs3 = errors;
            if (errors === _errs3) {
              if (typeof data1 === 'string') {
                if (!pattern0.test(data1)) {
                  validate24.errors = [0];
                  return false;
                }
              } else {
                validate24.errors = [0];
                return false;
              }
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.strategy !== undefined) {
              let data2 = data.strategy;
              const _errs5 = errors;
              if (typeof data2 !== 'string') {
                validate24.errors = [0];
                return false;
              }
              if (!(
                data2 === 'server' ||
                data2 === 'loopback' ||
                data2 === 'device' ||
                data2 === 'paste' ||
                data2 === 'other'
              )) {
                validate24.errors = [0];
                return false;
              }
              var valid0 = _errs5 === errors;
            } else {
              var valid0 = true;
            }
            if (valid0) {
              if (data.start_url !== undefined) {
                let data3 = data.start_url;
                const _errs7 = errors;
                if (typeof data3 !== 'string' && data3 !== null) {
                  validate24.errors = [0];
                  return false;
                }
                var valid0 = _errs7 === errors;
              } else {
                var valid0 = true;
              }
              if (valid0) {
                if (data.start_address !== undefined) {
                  let data4 = data.start_address;
                  const _errs9 = errors;
                  if (typeof data4 !== 'string' && data4 !== null) {
                    validate24.errors = [0];
                    return false;
                  }
                  if (errors === _errs9) {
                    if (typeof data4 === 'string') {
                      if (!pattern2.test(data4)) {
                        validate24.errors = [0];
                        return false;
                      }
                    }
                  }
                  var valid0 = _errs9 === errors;
                } else {
                  var valid0 = true;
                }
                if (valid0) {
                  if (data.device !== undefined) {
                    let data5 = data.device;
                    const _errs11 = errors;
                    const _errs12 = errors;
                    let valid1 = false;
                    const _errs13 = errors;
                    if (data5 !== null) {
                      const err0 = {
                        instancePath: instancePath + '/device',
                        schemaPath: '#/properties/device/anyOf/0/type',
                        keyword: 'type',
                        params: { type: 'null' }
                      };
                      if (vErrors === null) {
                        vErrors = [err0];
                      } else {
                        vErrors.push(err0);
                      }
                      errors++;
                    }
                    var _valid0 = _errs13 === errors;
                    valid1 = valid1 || _valid0;
                    if (!valid1) {
                      const _errs15 = errors;
                      if (errors === _errs15) {
                        if (data5 && typeof data5 == 'object' && !Array.isArray(data5)) {
                          let missing1;
                          if (
                            (data5.user_code === undefined && (missing1 = 'user_code')) ||
                            (data5.verification_uri === undefined && (missing1 = 'verification_uri')) ||
                            (data5.verification_uri_complete === undefined && (missing1 = 'verification_uri_complete'))
                          ) {
                            const err1 = {
                              instancePath: instancePath + '/device',
                              schemaPath: '#/properties/device/anyOf/1/required',
                              keyword: 'required',
                              params: { missingProperty: missing1 }
                            };
                            if (vErrors === null) {
                              vErrors = [err1];
                            } else {
                              vErrors.push(err1);
                            }
                            errors++;
                          } else {
                            if (data5.user_code !== undefined) {
                              let data6 = data5.user_code;
                              const _errs17 = errors;
                              if (errors === _errs17) {
                                if (typeof data6 === 'string') {
                                  if (data6.length < 1) {
                                    const err2 = {
                                      instancePath: instancePath + '/device/user_code',
                                      schemaPath: '#/properties/device/anyOf/1/properties/user_code/minLength',
                                      keyword: 'minLength',
                                      params: { limit: 1 }
                                    };
                                    if (vErrors === null) {
                                      vErrors = [err2];
                                    } else {
                                      vErrors.push(err2);
                                    }
                                    errors++;
                                  }
                                } else {
                                  const err3 = {
                                    instancePath: instancePath + '/device/user_code',
                                    schemaPath: '#/properties/device/anyOf/1/properties/user_code/type',
                                    keyword: 'type',
                                    params: { type: 'string' }
                                  };
                                  if (vErrors === null) {
                                    vErrors = [err3];
                                  } else {
                                    vErrors.push(err3);
                                  }
                                  errors++;
                                }
                              }
                              var valid2 = _errs17 === errors;
                            } else {
                              var valid2 = true;
                            }
                            if (valid2) {
                              if (data5.verification_uri !== undefined) {
                                let data7 = data5.verification_uri;
                                const _errs19 = errors;
                                if (errors === _errs19) {
                                  if (typeof data7 === 'string') {
                                    if (data7.length < 1) {
                                      const err4 = {
                                        instancePath: instancePath + '/device/verification_uri',
                                        schemaPath: '#/properties/device/anyOf/1/properties/verification_uri/minLength',
                                        keyword: 'minLength',
                                        params: { limit: 1 }
                                      };
                                      if (vErrors === null) {
                                        vErrors = [err4];
                                      } else {
                                        vErrors.push(err4);
                                      }
                                      errors++;
                                    }
                                  } else {
                                    const err5 = {
                                      instancePath: instancePath + '/device/verification_uri',
                                      schemaPath: '#/properties/device/anyOf/1/properties/verification_uri/type',
                                      keyword: 'type',
                                      params: { type: 'string' }
                                    };
                                    if (vErrors === null) {
                                      vErrors = [err5];
                                    } else {
                                      vErrors.push(err5);
                                    }
                                    errors++;
                                  }
                                }
                                var valid2 = _errs19 === errors;
                              } else {
                                var valid2 = true;
                              }
                              if (valid2) {
                                if (data5.verification_uri_complete !== undefined) {
                                  let data8 = data5.verification_uri_complete;
                                  const _errs21 = errors;
                                  if (typeof data8 !== 'string' && data8 !== null) {
                                    const err6 = {
                                      instancePath: instancePath + '/device/verification_uri_complete',
                                      schemaPath:
                                        '#/properties/device/anyOf/1/properties/verification_uri_complete/type',
                                      keyword: 'type',
                                      params: {
                                        type: schema25.properties.device.anyOf[1].properties.verification_uri_complete
                                          .type
                                      }
                                    };
                                    if (vErrors === null) {
                                      vErrors = [err6];
                                    } else {
                                      vErrors.push(err6);
                                    }
                                    errors++;
                                  }
                                  var valid2 = _errs21 === errors;
                                } else {
                                  var valid2 = true;
                                }
                              }
                            }
                          }
                        } else {
                          const err7 = {
                            instancePath: instancePath + '/device',
                            schemaPath: '#/properties/device/anyOf/1/type',
                            keyword: 'type',
                            params: { type: 'object' }
                          };
                          if (vErrors === null) {
                            vErrors = [err7];
                          } else {
                            vErrors.push(err7);
                          }
                          errors++;
                        }
                      }
                      var _valid0 = _errs15 === errors;
                      valid1 = valid1 || _valid0;
                    }
                    if (!valid1) {
                      const err8 = {
                        instancePath: instancePath + '/device',
                        schemaPath: '#/properties/device/anyOf',
                        keyword: 'anyOf',
                        params: {}
                      };
                      if (vErrors === null) {
                        vErrors = [err8];
                      } else {
                        vErrors.push(err8);
                      }
                      errors++;
                      validate24.errors = vErrors;
                      return false;
                    } else {
                      errors = _errs12;
                      if (vErrors !== null) {
                        if (_errs12) {
                          vErrors.length = _errs12;
                        } else {
                          vErrors = null;
                        }
                      }
                    }
                    var valid0 = _errs11 === errors;
                  } else {
                    var valid0 = true;
                  }
                  if (valid0) {
                    if (data.expires_in !== undefined) {
                      let data9 = data.expires_in;
                      const _errs23 = errors;
                      if (!(typeof data9 == 'number' && !(data9 % 1) && !isNaN(data9) && isFinite(data9))) {
                        validate24.errors = [0];
                        return false;
                      }
                      if (errors === _errs23) {
                        if (typeof data9 == 'number' && isFinite(data9)) {
                          if (data9 < 0 || isNaN(data9)) {
                            validate24.errors = [0];
                            return false;
                          }
                        }
                      }
                      var valid0 = _errs23 === errors;
                    } else {
                      var valid0 = true;
                    }
                  }
                }
              }
            }
          }
        }
      }
    } else {
      validate24.errors = [0];
      return false;
    }
  }
  validate24.errors = vErrors;
  return errors === 0;
}
export const isSignOutResult = validate25;
const schema26 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['local', 'revoked', 'end_session_url', 'end_session_address'],
  properties: {
    local: { type: 'string', enum: ['done', 'other'] },
    revoked: { type: 'string', enum: ['done', 'failed', 'not-supported', 'nothing-to-revoke', 'other'] },
    end_session_url: { type: ['string', 'null'] },
    end_session_address: { type: ['string', 'null'] }
  }
};
function validate25(data, { instancePath = '', parentData, parentDataProperty, rootData = data } = {}) {
  let vErrors = null;
  let errors = 0;
  if (errors === 0) {
    if (data && typeof data == 'object' && !Array.isArray(data)) {
      let missing0;
      if (
        (data.local === undefined && (missing0 = 'local')) ||
        (data.revoked === undefined && (missing0 = 'revoked')) ||
        (data.end_session_url === undefined && (missing0 = 'end_session_url')) ||
        (data.end_session_address === undefined && (missing0 = 'end_session_address'))
      ) {
        validate25.errors = [0];
        return false;
      } else {
        if (data.local !== undefined) {
          let data0 = data.local;
          const _errs1 = errors;
          if (typeof data0 !== 'string') {
            validate25.errors = [0];
            return false;
          }
          if (!(data0 === 'done' || data0 === 'other')) {
            validate25.errors = [0];
            return false;
          }
          var valid0 = _errs1 === errors;
        } else {
          var valid0 = true;
        }
        if (valid0) {
          if (data.revoked !== undefined) {
            let data1 = data.revoked;
            const _errs3 = errors;
            if (typeof data1 !== 'string') {
              validate25.errors = [0];
              return false;
            }
            if (!(
              data1 === 'done' ||
              data1 === 'failed' ||
              data1 === 'not-supported' ||
              data1 === 'nothing-to-revoke' ||
              data1 === 'other'
            )) {
              validate25.errors = [0];
              return false;
            }
            var valid0 = _errs3 === errors;
          } else {
            var valid0 = true;
          }
          if (valid0) {
            if (data.end_session_url !== undefined) {
              let data2 = data.end_session_url;
              const _errs5 = errors;
              if (typeof data2 !== 'string' && data2 !== null) {
                validate25.errors = [0];
                return false;
              }
              var valid0 = _errs5 === errors;
            } else {
              var valid0 = true;
            }
            if (valid0) {
              if (data.end_session_address !== undefined) {
                let data3 = data.end_session_address;
                const _errs7 = errors;
                if (typeof data3 !== 'string' && data3 !== null) {
                  validate25.errors = [0];
                  return false;
                }
                var valid0 = _errs7 === errors;
              } else {
                var valid0 = true;
              }
            }
          }
        }
      }
    } else {
      validate25.errors = [0];
      return false;
    }
  }
  validate25.errors = vErrors;
  return errors === 0;
}
