/** Decodes base64 to UTF-8 text; invalid bytes become U+FFFD, text that is not base64 is returned unchanged. */
export function base64Text(encoded: string): string {
  try {
    return new TextDecoder().decode(base64Bytes(encoded));
  } catch {
    return encoded;
  }
}

/** Decodes base64 to bytes, in any runtime. @throws DOMException when the text is not base64. */
export function base64Bytes(encoded: string): Uint8Array<ArrayBuffer> {
  const binary = atob(encoded);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}
