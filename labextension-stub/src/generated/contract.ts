// Generated from jupyter_oidc/contract by scripts/generate.mjs. Do not edit.

/**
 * The APIs that the proxy opens.
 */
export interface ApiList {
  apis: {
    name: string;
    provider: string;
    /**
     * Path of the proxy for this API on this server, with a slash at the end.
     */
    path: string;
    /**
     * The API's own address, with a slash at the end; told to kernels, so that they know the addresses in its answers.
     */
    base_url?: string;
    methods: string[];
    callers: ('browser' | 'kernel' | 'other')[];
    state: 'signed-out' | 'signing-in' | 'active' | 'refresh-failed' | 'signed-out-expired' | 'other';
    /**
     * Whether a call made now is expected to get through; the first obstacle, if there is one.
     */
    readiness:
      | 'ready'
      | 'sign_in_needed'
      | 'expired'
      | 'renewal_delayed'
      | 'refused'
      | 'missing_entitlement'
      | 'unreachable'
      | 'other';
    allowed: boolean;
    missing: string[];
    /**
     * The name by which people know the API.
     */
    title: string | null;
    /**
     * What the API is for.
     */
    description: string | null;
    /**
     * A path that works, relative to `path`, with its query.
     */
    example: string | null;
    /**
     * The address of the API's documentation for people.
     */
    docs_url: string | null;
    /**
     * The paths that are open, each with everything below it.
     */
    path_prefixes: string[];
    /**
     * Whether the settings name an OpenAPI document, so that its operations can be asked for.
     */
    has_operations: boolean;
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  }[];
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * For how long a command lives.
 */
export interface CommandLease {
  /**
   * Seconds; 0 if it has ended.
   */
  expires_in: number;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * What a command proves itself with, as a kernel does.
 */
export interface CommandBegun {
  command_id: string;
  /**
   * The key of its proofs, told once.
   */
  key: string;
  /**
   * Seconds until it has to be renewed.
   */
  expires_in: number;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * A command line begins a command, or keeps it alive.
 */
export interface CommandRequest {}

/**
 * Finish a sign-in with the URL that the provider sent the browser to.
 */
export interface CompleteRequest {
  redirect_url: string;
}

/**
 * What is right and wrong with the set-up, and who can fix it.
 */
export interface Diagnostics {
  ok: boolean;
  checks: {
    name: string;
    provider: string | null;
    status: 'ok' | 'warning' | 'problem' | 'unknown' | 'other';
    message: string;
    action: string | null;
    who: 'user' | 'administrator' | 'provider' | null | 'other';
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  }[];
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * An error made by jupyter_oidc, as problem details (RFC 9457); `reason` repeats `message` under the key that Jupyter clients read.
 */
export interface OidcError {
  code:
    | 'request_invalid'
    | 'bad_path'
    | 'bad_header'
    | 'state_invalid'
    | 'state_used'
    | 'response_malformed'
    | 'logout_token_invalid'
    | 'client_too_slow'
    | 'body_too_large'
    | 'headers_too_large'
    | 'sign_in_cancelled'
    | 'sign_in_declined'
    | 'sign_in_refused'
    | 'not_signed_in'
    | 'session_expired'
    | 'step_up_required'
    | 'grant_invalid'
    | 'csrf_failed'
    | 'forbidden'
    | 'route_forbidden'
    | 'caller_forbidden'
    | 'unknown_provider'
    | 'unknown_api'
    | 'no_operations'
    | 'unknown_flow'
    | 'method_not_allowed'
    | 'issuer_mismatch'
    | 'discovery_failed'
    | 'token_response_invalid'
    | 'id_token_rejected'
    | 'userinfo_rejected'
    | 'audience_refused'
    | 'clock_skew'
    | 'tls_untrusted'
    | 'egress_proxy_auth'
    | 'idp_unavailable'
    | 'upstream_unreachable'
    | 'upstream_protocol_error'
    | 'upstream_timeout'
    | 'openapi_invalid'
    | 'configuration_invalid'
    | 'storage_unavailable'
    | 'overloaded'
    | 'broker_unavailable'
    | 'other';
  message: string;
  action: string;
  retryable: boolean;
  request_id: string;
  reason: string;
  /**
   * Where a person's browser can sign in, if that helps and the server knows the address.
   */
  link?: string;
  /**
   * The kind of error as a URI: urn:jupyter-oidc:error: and the code (RFC 9457, 3.1.1).
   */
  type: string;
  /**
   * The message without any fact: the same for every error of the code (RFC 9457, 3.1.3).
   */
  title: string;
  /**
   * The status of the reply, or the one that a reply with this error would have.
   */
  status: number | null;
  /**
   * Message and action in one text, for clients that know problem details and nothing else of ours.
   */
  detail: string;
  /**
   * The facts that the sentences hold, by name: `api`, `provider`, `methods`, `paths`, `scopes`, `seconds` ...
   */
  params: {
    [k: string]: string | number | string[];
  };
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * What a Jupyter server tells its broker about a request that it forwards, beside the request itself.
 */
export interface ForwardedRequest {
  /**
   * Who calls, by the server's own check; 'public' is any caller of a route that needs no login, and a 'worker' is judged by its grant.
   */
  caller_kind: 'user' | 'kernel' | 'worker' | 'server' | 'public';
  /**
   * The name under which the caller's sign-ins are counted.
   */
  caller_name: string;
  /**
   * Whether a user calls with a token of the server, and not with a browser that is logged in.
   */
  bears_token: boolean;
  /**
   * The path above the routes of the server.
   */
  base_url: string;
  /**
   * The protocol by which the browser reaches the server.
   */
  protocol: 'http' | 'https';
  /**
   * The host that the request names.
   */
  host: string;
  /**
   * Whether the browser is on the machine of the server.
   */
  browser: 'here' | 'elsewhere' | 'unknown';
  /**
   * The address of the server for browsers, where the Hub has told it.
   */
  public_url: string | null;
  /**
   * The origin at which a browser has reached the server last.
   */
  origin: string | null;
  /**
   * Whether browsers reach the server at another host than the Hub's.
   */
  has_own_host: boolean;
  /**
   * Whether a Hub has started the server.
   */
  under_hub: boolean;
  /**
   * The name of the server at the Hub; empty for its user's default server.
   */
  server_name: string;
  /**
   * Whether the server knows its users by a login.
   */
  has_logins: boolean;
  /**
   * Whether other users than the owner have used the server, and whose kernels act for the owner.
   */
  sharing_mode: 'none' | 'own-kernels' | 'all-kernels';
  /**
   * What a form of a page has to send back to the server; empty for a request that asks for no page.
   */
  xsrf_token: string;
  /**
   * The id by which the log of the server names the request.
   */
  request_id: string;
  /**
   * The grant of a worker that calls; empty for every other caller.
   */
  grant?: string;
}

/**
 * Those of them that live.
 */
export interface GrantLeases {
  /**
   * @maxItems 1000
   */
  grants: string[];
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * The grants whose kernels run: their server renews them at its broker.
 */
export interface GrantLeasesRequest {
  /**
   * @maxItems 1000
   */
  grants: string[];
}

/**
 * A new grant, with its text, which is told once.
 */
export interface Grant {
  id: string;
  provider: string;
  apis: string[];
  /**
   * HTTP methods, and WEBSOCKET for WebSockets.
   */
  methods: string[];
  /**
   * What its maker calls it; may be empty.
   */
  name: string;
  /**
   * The kernel or command that has made it: 'kernel:' and its id.
   */
  maker: string;
  /**
   * Whether it goes on when that kernel ends or is restarted.
   */
  outlives_kernel: boolean;
  /**
   * UTC.
   */
  began_at: string;
  /**
   * UTC; it ends sooner with the session, or when it is revoked.
   */
  ends_at: string;
  /**
   * UTC; null if nobody has used it.
   */
  last_used_at: string | null;
  grant: string;
  /**
   * The address at which workers on other machines call, with a slash at its end; null if it is unknown.
   */
  address: string | null;
  /**
   * Whether that address is a broker's, which answers when this server does not run.
   */
  address_outlives_server: boolean;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * Make a grant for workers: a part of what the session may do.
 */
export interface GrantRequest {
  /**
   * APIs of one provider.
   *
   * @minItems 1
   * @maxItems 20
   */
  apis:
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ];
  /**
   * GET and HEAD by default; WEBSOCKET opens WebSockets, which read and write.
   *
   * @minItems 1
   * @maxItems 7
   */
  methods?:
    | ['GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET']
    | [
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET'
      ]
    | [
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET'
      ]
    | [
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET'
      ]
    | [
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET'
      ]
    | [
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET'
      ]
    | [
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET',
        'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'WEBSOCKET'
      ];
  /**
   * 24 by default, and at most where no broker stores grants.
   */
  hours?: number;
  /**
   * What to call it in lists.
   */
  name?: string;
  /**
   * Whether it goes on when the kernel that makes it ends or is restarted; false by default.
   */
  outlives_kernel?: boolean;
}

/**
 * The grants for workers that live, the oldest first.
 */
export interface Grants {
  grants: {
    id: string;
    provider: string;
    apis: string[];
    /**
     * HTTP methods, and WEBSOCKET for WebSockets.
     */
    methods: string[];
    /**
     * What its maker calls it; may be empty.
     */
    name: string;
    /**
     * The kernel or command that has made it: 'kernel:' and its id.
     */
    maker: string;
    /**
     * Whether it goes on when that kernel ends or is restarted.
     */
    outlives_kernel: boolean;
    /**
     * UTC.
     */
    began_at: string;
    /**
     * UTC; it ends sooner with the session, or when it is revoked.
     */
    ends_at: string;
    /**
     * UTC; null if nobody has used it.
     */
    last_used_at: string | null;
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  }[];
  /**
   * Hours that a grant lasts at most.
   */
  max_hours: number;
  /**
   * Whether a grant that outlives its kernel outlives the Jupyter server, too.
   */
  are_stored: boolean;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * A grant for the routes open to kernels.
 */
export interface KernelGrant {
  grant: string;
  /**
   * Seconds.
   */
  expires_in: number;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * A kernel's proof that it holds the key of its connection file.
 */
export interface KernelGrantRequest {
  kernel_id: string;
  /**
   * Seconds since 1970, UTC.
   */
  issued_at: number;
  nonce: string;
  /**
   * HMAC-SHA256 in hexadecimal.
   */
  proof: string;
}

/**
 * One operation as code: a cell that runs, and a command.
 */
export interface OperationExample {
  api: string;
  method: string;
  path: string;
  /**
   * Python code for a cell of a notebook.
   */
  cell: string;
  /**
   * A command for a shell; it reads the Jupyter token from the environment and holds no secret.
   */
  curl: string;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * The operations in the OpenAPI document of one API, and what of it could not be read.
 */
export interface OperationList {
  api: string;
  document: {
    title: string;
    version: string;
    /**
     * The version of the OpenAPI Specification.
     */
    openapi: string;
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  };
  operations: {
    /**
     * The `operationId`.
     */
    id: string | null;
    method: string;
    /**
     * Relative to the API's address, as the proxy takes it; parameters stand in braces.
     */
    path: string;
    summary: string | null;
    description: string | null;
    tags: string[];
    deprecated: boolean;
    /**
     * Which setting of the API does not open this operation to the caller that asks.
     */
    obstacle: 'method' | 'path' | 'caller' | null | 'other';
    parameters: {
      name: string;
      in: 'path' | 'query' | 'header' | 'cookie' | 'other';
      required: boolean;
      /**
       * The type in words of JSON Schema, if the document names one.
       */
      type: string | null;
      description: string | null;
      /**
       * The words of a newer server that are `other` here, by the member that they were in.
       */
      unknown_words?: {
        [k: string]: string;
      };
    }[];
    body: null | {
      media_type: string;
      required: boolean;
      /**
       * The words of a newer server that are `other` here, by the member that they were in.
       */
      unknown_words?: {
        [k: string]: string;
      };
    };
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  }[];
  problems: {
    /**
     * A JSON pointer into the document.
     */
    where: string;
    message: string;
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  }[];
  /**
   * Operations beyond those in this reply.
   */
  operations_more: number;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * The configured providers and the state of each.
 */
export interface ProviderList {
  providers: {
    name: string;
    issuer: string;
    state: 'signed-out' | 'signing-in' | 'active' | 'refresh-failed' | 'signed-out-expired' | 'other';
    /**
     * There if a page that opens now may try to sign in by itself.
     */
    silent_sign_in?: true;
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  }[];
  /**
   * The provider that is meant where a notebook names none, if the settings say so.
   */
  default_provider: string | null;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * Refresh now.
 */
export interface RefreshRequest {}

/**
 * Who is signed in at one provider, and what they may do. Holds no token.
 */
export interface SessionSummary {
  provider: string;
  issuer: string;
  state: 'signed-out' | 'signing-in' | 'active' | 'refresh-failed' | 'signed-out-expired' | 'other';
  /**
   * Why the state is what it is, as a stable reason code.
   */
  reason: string | null;
  /**
   * Grows with every change of this summary.
   */
  sequence: number;
  user: null | {
    sub: string;
    name: string | null;
    username: string | null;
    email: string | null;
    email_verified: boolean;
    picture: string | null;
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  };
  /**
   * As many as may be shown; those that an API requires come first into the choice.
   */
  entitlements: string[];
  /**
   * How many more there are.
   */
  entitlements_more: number;
  /**
   * False if the provider did not list them, or has not been asked yet: then none is missing for sure.
   */
  entitlements_known: boolean;
  scopes: string[];
  missing_scopes: string[];
  signed_in_at: string | null;
  access_expires_at: string | null;
  /**
   * Seconds until the access token expires; never negative; null when unknown.
   */
  expires_in: number | null;
  refreshable: boolean;
  storage: 'keyring' | 'encrypted-file' | 'memory' | 'database' | 'unsaved' | 'other';
  retry_at: string | null;
  apis: {
    name: string;
    /**
     * Whether a call made now is expected to get through; the first obstacle, if there is one.
     */
    readiness:
      | 'ready'
      | 'sign_in_needed'
      | 'expired'
      | 'renewal_delayed'
      | 'refused'
      | 'missing_entitlement'
      | 'unreachable'
      | 'other';
    allowed: boolean;
    missing: string[];
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  }[];
  /**
   * Whether the settings have changed so that they take effect with the next sign-in.
   */
  settings_pending: boolean;
  /**
   * Whether others than its owner have been on this server, and whose kernels may call APIs then.
   */
  sharing: 'none' | 'own-kernels' | 'all-kernels' | 'other';
  /**
   * Whether a sign-in waits for the person, begun by a page, a cell or a terminal; a session may exist beside it.
   */
  sign_in_under_way: boolean;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * How far a sign-in has come.
 */
export interface SignInProgress {
  flow: string;
  provider: string;
  state: 'waiting' | 'completed' | 'failed' | 'cancelled' | 'expired' | 'other';
  error: null | {
    code:
      | 'request_invalid'
      | 'bad_path'
      | 'bad_header'
      | 'state_invalid'
      | 'state_used'
      | 'response_malformed'
      | 'logout_token_invalid'
      | 'client_too_slow'
      | 'body_too_large'
      | 'headers_too_large'
      | 'sign_in_cancelled'
      | 'sign_in_declined'
      | 'sign_in_refused'
      | 'not_signed_in'
      | 'session_expired'
      | 'step_up_required'
      | 'grant_invalid'
      | 'csrf_failed'
      | 'forbidden'
      | 'route_forbidden'
      | 'caller_forbidden'
      | 'unknown_provider'
      | 'unknown_api'
      | 'no_operations'
      | 'unknown_flow'
      | 'method_not_allowed'
      | 'issuer_mismatch'
      | 'discovery_failed'
      | 'token_response_invalid'
      | 'id_token_rejected'
      | 'userinfo_rejected'
      | 'audience_refused'
      | 'clock_skew'
      | 'tls_untrusted'
      | 'egress_proxy_auth'
      | 'idp_unavailable'
      | 'upstream_unreachable'
      | 'upstream_protocol_error'
      | 'upstream_timeout'
      | 'openapi_invalid'
      | 'configuration_invalid'
      | 'storage_unavailable'
      | 'overloaded'
      | 'broker_unavailable'
      | 'other';
    message: string;
    action: string;
    retryable: boolean;
    request_id: string;
    reason: string;
    /**
     * The kind of error as a URI: urn:jupyter-oidc:error: and the code (RFC 9457, 3.1.1).
     */
    type: string;
    /**
     * The message without any fact: the same for every error of the code (RFC 9457, 3.1.3).
     */
    title: string;
    /**
     * The status of the reply, or the one that a reply with this error would have.
     */
    status: number | null;
    /**
     * Message and action in one text, for clients that know problem details and nothing else of ours.
     */
    detail: string;
    /**
     * The facts that the sentences hold, by name: `api`, `provider`, `methods`, `paths`, `scopes`, `seconds` ...
     */
    params: {
      [k: string]: string | number | string[];
    };
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  };
  expires_in: number;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * A sign-in that waits for the user.
 */
export interface SignInStarted {
  flow: string;
  provider: string;
  strategy: 'server' | 'loopback' | 'device' | 'paste' | 'other';
  /**
   * Path on this server that sends the browser to the provider; null for a sign-in by code.
   */
  start_url: string | null;
  /**
   * The same as a person's browser reaches it, absolute; null if the server does not know how that is.
   */
  start_address?: string | null;
  device: null | {
    user_code: string;
    verification_uri: string;
    verification_uri_complete: string | null;
    /**
     * The words of a newer server that are `other` here, by the member that they were in.
     */
    unknown_words?: {
      [k: string]: string;
    };
  };
  /**
   * Seconds left to finish.
   */
  expires_in: number;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * Begin a sign-in.
 */
export interface SignInRequest {
  strategy?: 'auto' | ('server' | 'loopback' | 'device' | 'paste');
  /**
   * Local path to offer after the sign-in; anything else is ignored.
   */
  next?: string;
  api?: string;
  /**
   * How the provider is to ask the person; 'none': not at all, which works only where it knows them already.
   */
  prompt?: 'none' | 'login' | 'consent' | 'select_account';
  /**
   * Whether a page that opens tries by itself: the prompt is 'none', and the browser goes on to 'next' whatever comes of it. Goes with 'next' only.
   */
  silent?: boolean;
  /**
   * Who is going to sign in, as a hint for the provider's page.
   */
  login_hint?: string;
  /**
   * Languages of the provider's page, the preferred one first.
   *
   * @maxItems 20
   */
  ui_locales?:
    | []
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ];
  /**
   * Levels of authentication, one of which the sign-in has to reach; what an API has asked for counts instead.
   *
   * @maxItems 20
   */
  acr_values?:
    | []
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string, string, string, string, string, string, string]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ]
    | [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string
      ];
}

/**
 * What happened at each step of a sign-out.
 */
export interface SignOutResult {
  local: 'done' | 'other';
  revoked: 'done' | 'failed' | 'not-supported' | 'nothing-to-revoke' | 'other';
  /**
   * Where the browser can end the provider's own session: the provider's page, or a path of this server that is good once; carries no token.
   */
  end_session_url: string | null;
  /**
   * The same as a person's browser reaches it; null if there is none, or this server does not know its own address.
   */
  end_session_address: string | null;
  /**
   * The words of a newer server that are `other` here, by the member that they were in.
   */
  unknown_words?: {
    [k: string]: string;
  };
}

/**
 * Sign out.
 */
export interface SignOutRequest {}
