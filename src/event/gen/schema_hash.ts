/** Written by `scripts/schemas.mjs`: SHA-256 of the schema that the code here was generated from. */
export const schemaHash = '869048a31329eea7bc5b1d3c2f0523915a5e1dd597d43da22937b43de7dbb861';
