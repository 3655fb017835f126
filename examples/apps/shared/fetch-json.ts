// Asks another service for JSON, never waiting long, and says in a few words why it did not answer.

export interface Question {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: object;
  timeoutMs?: number;
}

/** Resolves with the status and the parsed answer; rejects if there is none, or its status is 400 or above. */
export async function fetchJson<T>(url: string, question: Question = {}): Promise<{ status: number; body: T }> {
  const { method = 'GET', body, timeoutMs = 1000 } = question;
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(timeoutMs),
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const answer = await response.text();
  if (response.status >= 400) throw new Error(`HTTP ${response.status}`);
  return { status: response.status, body: JSON.parse(answer) as T };
}

/** The cause hidden behind "fetch failed", such as `ECONNREFUSED`. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.message;
}
