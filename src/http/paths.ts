export const openApiPath = '/v1/openapi.json';
export const mcpPath = '/mcp';

/** RFC 9728 section 3.1: the well-known part goes between the host and the resource's own path. */
export const metadataPath = '/.well-known/oauth-protected-resource/mcp';
