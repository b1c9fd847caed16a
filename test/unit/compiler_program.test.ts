import { describe, expect, it } from 'vitest';
import { decodeProgram, encodeProgram } from '../../src/compiler/program.js';
import { Section } from '../../src/core/abi/program.js';
import { ProgramError } from '../../src/core/errors.js';

const sections = new Map<Section, Uint8Array>([
  [Section.Strings, new TextEncoder().encode('cmd.exe')],
  [Section.Code, new Uint8Array(33).fill(7)],
]);

describe('the program container', () => {
  it('gives back the sections it was made of, 16-aligned', () => {
    const bytes = encodeProgram(sections);
    const program = decodeProgram(bytes);
    expect([...program.sections.keys()]).toEqual([Section.Strings, Section.Code]);
    for (const [id, content] of program.sections) {
      expect(content).toEqual(sections.get(id));
      expect((content.byteOffset - bytes.byteOffset) % 16).toBe(0);
    }
  });

  it('is the same for the same sections in any order', () => {
    expect(encodeProgram(new Map([...sections].reverse()))).toEqual(encodeProgram(sections));
  });

  it('is refused wherever one byte is changed in magic, header or contents', () => {
    const bytes = encodeProgram(sections);
    const original = decodeProgram(bytes);
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i] = (damaged[i] as number) ^ 0x41;
      try {
        // Padding is not covered by anything: then the contents are untouched.
        expect(decodeProgram(damaged)).toEqual(original);
      } catch (error) {
        if (!(error instanceof ProgramError)) throw error;
        expect(error.code).toBe('PROGRAM_FORMAT');
      }
    }
  });

  it('is refused when cut short anywhere', () => {
    const bytes = encodeProgram(sections);
    for (let i = 0; i < bytes.length - 64; i++) {
      expect(() => decodeProgram(bytes.subarray(0, i)), `first ${i} bytes`).toThrow(ProgramError);
    }
  });
});
