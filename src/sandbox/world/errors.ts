/** A mutation that GitHub would refuse. The API turns it into a status; callers in the process see the message. */
export type Refusal = "not_found" | "invalid" | "forbidden" | "conflict" | "not_allowed" | "not_implemented";

export interface FieldError {
  readonly resource: string;
  readonly code: "missing" | "missing_field" | "invalid" | "already_exists" | "unprocessable" | "custom";
  readonly field?: string;
  readonly message?: string;
}

export class WorldError extends Error {
  readonly refusal: Refusal;
  readonly errors: readonly FieldError[];

  constructor(refusal: Refusal, message: string, errors: readonly FieldError[] = []) {
    super(message);
    this.name = "WorldError";
    this.refusal = refusal;
    this.errors = errors;
  }
}

export function notFound(what = "Not Found"): WorldError {
  return new WorldError("not_found", what);
}

export function invalid(message: string, error?: FieldError): WorldError {
  return new WorldError("invalid", message, error === undefined ? [] : [error]);
}
