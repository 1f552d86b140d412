/** Columns of `attempts` in the order in which every statement of ours fills them. */
export const attemptColumns = `workspace_id, endpoint_id, delivery_id, type_id, attempt, endpoint_version, error, response_code,
  duration_ms, started_at, next_attempt_at, is_test`;
