/** Written by `scripts/schemas.mjs`: SHA-256 of the schema that the code here was generated from. */
export const schemaHash = 'fcda1461f7440d5d4abeff20ccb20dec5b7852e4606129a6be162e77be594e94';
