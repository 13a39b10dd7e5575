// Generated from jupyter_oidc/contract by scripts/generate.mjs. Do not edit.
import type {
  ApiList,
  CommandLease,
  CommandBegun,
  Diagnostics,
  OidcError,
  GrantLeases,
  Grant,
  Grants,
  KernelGrant,
  OperationExample,
  OperationList,
  ProviderList,
  SessionSummary,
  SignInProgress,
  SignInStarted,
  SignOutResult
} from './contract';

export function isApiList(data: unknown): data is ApiList;
export function isCommandLease(data: unknown): data is CommandLease;
export function isCommandBegun(data: unknown): data is CommandBegun;
export function isDiagnostics(data: unknown): data is Diagnostics;
export function isOidcError(data: unknown): data is OidcError;
export function isGrantLeases(data: unknown): data is GrantLeases;
export function isGrant(data: unknown): data is Grant;
export function isGrants(data: unknown): data is Grants;
export function isKernelGrant(data: unknown): data is KernelGrant;
export function isOperationExample(data: unknown): data is OperationExample;
export function isOperationList(data: unknown): data is OperationList;
export function isProviderList(data: unknown): data is ProviderList;
export function isSessionSummary(data: unknown): data is SessionSummary;
export function isSignInProgress(data: unknown): data is SignInProgress;
export function isSignInStarted(data: unknown): data is SignInStarted;
export function isSignOutResult(data: unknown): data is SignOutResult;
