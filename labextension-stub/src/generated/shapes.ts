// Generated from jupyter_oidc/contract by scripts/generate.mjs. Do not edit.
import type { IShape } from '../reader';

export const shapeOfApiList: IShape = {
  members: {
    apis: {
      items: {
        members: {
          name: {},
          provider: {},
          path: {},
          base_url: {},
          methods: { items: {} },
          callers: { items: { words: ['browser', 'kernel'] } },
          state: { words: ['signed-out', 'signing-in', 'active', 'refresh-failed', 'signed-out-expired'] },
          readiness: {
            words: [
              'ready',
              'sign_in_needed',
              'expired',
              'renewal_delayed',
              'refused',
              'missing_entitlement',
              'unreachable'
            ],
            absent: 'other'
          },
          allowed: {},
          missing: { items: {} },
          title: { absent: null },
          description: { absent: null },
          example: { absent: null },
          docs_url: { absent: null },
          path_prefixes: { items: {}, absent: [] },
          has_operations: { absent: false }
        }
      }
    }
  }
};

export const shapeOfCommandLease: IShape = { members: { expires_in: {} } };

export const shapeOfCommandBegun: IShape = { members: { command_id: {}, key: {}, expires_in: {} } };

export const shapeOfDiagnostics: IShape = {
  members: {
    ok: {},
    checks: {
      items: {
        members: {
          name: {},
          provider: {},
          status: { words: ['ok', 'warning', 'problem', 'unknown'] },
          message: {},
          action: {},
          who: { words: ['user', 'administrator', 'provider'] }
        }
      }
    }
  }
};

export const shapeOfOidcError: IShape = {
  members: {
    code: {
      words: [
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
        'broker_unavailable'
      ]
    },
    message: {},
    action: {},
    retryable: {},
    request_id: {},
    reason: {},
    link: {},
    type: { absent: 'about:blank' },
    title: { absent: '' },
    status: { absent: null },
    detail: { absent: '' },
    params: { absent: {} }
  }
};

export const shapeOfGrantLeases: IShape = { members: { grants: { items: {} } } };

export const shapeOfGrant: IShape = {
  members: {
    id: {},
    provider: {},
    apis: { items: {} },
    methods: { items: {} },
    name: {},
    maker: {},
    outlives_kernel: {},
    began_at: {},
    ends_at: {},
    last_used_at: {},
    grant: {},
    address: {},
    address_outlives_server: { absent: false }
  }
};

export const shapeOfGrants: IShape = {
  members: {
    grants: {
      items: {
        members: {
          id: {},
          provider: {},
          apis: { items: {} },
          methods: { items: {} },
          name: {},
          maker: {},
          outlives_kernel: {},
          began_at: {},
          ends_at: {},
          last_used_at: {}
        }
      }
    },
    max_hours: { absent: 24 },
    are_stored: { absent: false }
  }
};

export const shapeOfKernelGrant: IShape = { members: { grant: {}, expires_in: {} } };

export const shapeOfOperationExample: IShape = { members: { api: {}, method: {}, path: {}, cell: {}, curl: {} } };

export const shapeOfOperationList: IShape = {
  members: {
    api: {},
    document: { members: { title: {}, version: {}, openapi: {} } },
    operations: {
      items: {
        members: {
          id: {},
          method: {},
          path: {},
          summary: {},
          description: {},
          tags: { items: {} },
          deprecated: {},
          obstacle: { words: ['method', 'path', 'caller'] },
          parameters: {
            items: {
              members: {
                name: {},
                in: { words: ['path', 'query', 'header', 'cookie'] },
                required: {},
                type: {},
                description: {}
              }
            }
          },
          body: { members: { media_type: {}, required: {} } }
        }
      }
    },
    problems: { items: { members: { where: {}, message: {} } } },
    operations_more: {}
  }
};

export const shapeOfProviderList: IShape = {
  members: {
    providers: {
      items: {
        members: {
          name: {},
          issuer: {},
          state: { words: ['signed-out', 'signing-in', 'active', 'refresh-failed', 'signed-out-expired'] },
          silent_sign_in: {}
        }
      }
    },
    default_provider: { absent: null }
  }
};

export const shapeOfSessionSummary: IShape = {
  members: {
    provider: {},
    issuer: {},
    state: { words: ['signed-out', 'signing-in', 'active', 'refresh-failed', 'signed-out-expired'] },
    reason: {},
    sequence: {},
    user: { members: { sub: {}, name: {}, username: {}, email: {}, email_verified: {}, picture: {} } },
    entitlements: { items: {} },
    entitlements_more: { absent: 0 },
    entitlements_known: { absent: true },
    scopes: { items: {} },
    missing_scopes: { items: {} },
    signed_in_at: {},
    access_expires_at: {},
    expires_in: {},
    refreshable: {},
    storage: { words: ['keyring', 'encrypted-file', 'memory', 'database', 'unsaved'] },
    retry_at: {},
    apis: {
      items: {
        members: {
          name: {},
          readiness: {
            words: [
              'ready',
              'sign_in_needed',
              'expired',
              'renewal_delayed',
              'refused',
              'missing_entitlement',
              'unreachable'
            ],
            absent: 'other'
          },
          allowed: {},
          missing: { items: {} }
        }
      }
    },
    settings_pending: { absent: false },
    sharing: { words: ['none', 'own-kernels', 'all-kernels'], absent: 'none' },
    sign_in_under_way: { absent: false }
  }
};

export const shapeOfSignInProgress: IShape = {
  members: {
    flow: {},
    provider: {},
    state: { words: ['waiting', 'completed', 'failed', 'cancelled', 'expired'] },
    error: {
      members: {
        code: {
          words: [
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
            'broker_unavailable'
          ]
        },
        message: {},
        action: {},
        retryable: {},
        request_id: {},
        reason: {},
        type: { absent: 'about:blank' },
        title: { absent: '' },
        status: { absent: null },
        detail: { absent: '' },
        params: { absent: {} }
      }
    },
    expires_in: {}
  }
};

export const shapeOfSignInStarted: IShape = {
  members: {
    flow: {},
    provider: {},
    strategy: { words: ['server', 'loopback', 'device', 'paste'] },
    start_url: {},
    start_address: {},
    device: { members: { user_code: {}, verification_uri: {}, verification_uri_complete: {} } },
    expires_in: {}
  }
};

export const shapeOfSignOutResult: IShape = {
  members: {
    local: { words: ['done'] },
    revoked: { words: ['done', 'failed', 'not-supported', 'nothing-to-revoke'] },
    end_session_url: {},
    end_session_address: { absent: null }
  }
};
