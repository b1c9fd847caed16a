/**
 * Process tests, compiled once for a judgement. A node is read once, whatever number of tests and witnesses ask about
 * it, and each test is answered once for a node.
 */
import type { TextTest } from '../../../core/glob_set.js';
import { remembering } from '../../../core/memo.js';
import { baseName, foldCase, type Platform, pathKey } from '../../../core/paths.js';
import type { ProcessTest } from '../../../rule/behavior.js';
import type { ProcessImage, ProcessNode } from '../witness.js';
import { foldedSet } from './patterns.js';

/** Program name of an image, case-folded and without `.exe`. */
export function programName(image: Pick<ProcessImage, 'executable' | 'name'>): string {
  return image.executable !== undefined ? programOfPath(image.executable) : programOfName(image.name ?? '');
}

const programOfName = (name: string): string => foldCase(name).replace(/\.exe$/, '');
const programOfPath = remembering((path: string) => programOfName(baseName(path)));

/** The texts of an image in the form that tests compare, made when first asked for. */
class ImageTexts {
  #name: string | undefined;
  #path: string | undefined;
  #user: string | undefined;
  #commandLine: string | undefined;

  constructor(
    readonly image: ProcessImage,
    private readonly keyOf: (path: string) => string,
  ) {}

  get name(): string {
    this.#name ??= programName(this.image);
    return this.#name;
  }

  get path(): string {
    this.#path ??= this.keyOf(this.image.executable ?? '');
    return this.#path;
  }

  get user(): string {
    this.#user ??= foldCase(this.image.user ?? '');
    return this.#user;
  }

  get commandLine(): string {
    this.#commandLine ??= foldCase(this.image.commandLine ?? this.image.args?.join(' ') ?? '');
    return this.#commandLine;
  }
}

/** A node as the tests of one judgement see it. */
export interface NodeReading {
  readonly node: ProcessNode;
  /** Oldest first. */
  readonly images: readonly ImageTexts[];
  /** Two bits a test, {@link testsInWord} tests a number: 0 not asked yet, 1 no, 2 yes. */
  readonly answers: number[];
}

/** A compiled {@link ProcessTest}. */
export interface CompiledProcess {
  /** Some image of the node satisfies the test. */
  readonly holds: (reading: NodeReading) => boolean;
  /** The image `texts` of the node satisfies the test, no other image considered. */
  readonly holdsFor: (node: ProcessNode, texts: ImageTexts) => boolean;
}

/** Identities of processes mostly are hexadecimal digits: the last few tell most apart. */
function placeOf({ identity }: ProcessNode): number {
  const end = identity.length;
  let hash = 0;
  for (let i = Math.max(0, end - 4); i < end; i++)
    hash = (hash << 4) ^ (identity.charCodeAt(i) & 15) ^ (identity.charCodeAt(i) >> 6);
  return hash & (readingPlaces - 1);
}

type ImageTest = (texts: ImageTexts) => boolean;

/** As many as make a number that is stored without an object of its own. */
const testsInWord = 15;
/** Places for readings; each holds the last. A power of two. */
const readingPlaces = 2048;

/** Compiles the process tests of one judgement and reads nodes for them. Compile all tests before reading a node. */
export class ProcessTests {
  #count = 0;
  readonly #compiled = new WeakMap<ProcessTest, CompiledProcess>();
  readonly #readings: (NodeReading | undefined)[] = new Array(readingPlaces).fill(undefined);
  readonly #keyOf: (path: string) => string;

  constructor(platform: Platform) {
    this.#keyOf = remembering((path) => foldCase(pathKey(path, platform)));
  }

  /** What the tests read of a node. A node is never changed once it was read. */
  read(node: ProcessNode): NodeReading {
    const place = placeOf(node);
    const known = this.#readings[place];
    if (known?.node === node) return known;
    const images = node.images.map((image) => new ImageTexts(image, this.#keyOf));
    const reading = { node, images, answers: new Array(Math.ceil(this.#count / testsInWord)).fill(0) };
    this.#readings[place] = reading;
    return reading;
  }

  compile(test: ProcessTest): CompiledProcess {
    let compiled = this.#compiled.get(test);
    if (compiled === undefined) {
      compiled = this.#compile(test);
      this.#compiled.set(test, compiled);
    }
    return compiled;
  }

  #compile(test: ProcessTest): CompiledProcess {
    const { marks } = test;
    const isMarked = (node: ProcessNode): boolean => marks?.some((mark) => node.marks.includes(mark)) ?? true;
    const not = test.not === undefined ? undefined : this.compile(test.not);
    const any = test.any?.map((one) => this.compile(one));
    const image = imageTest(test);
    const index = this.#count++;
    const word = Math.floor(index / testsInWord);
    const shift = 2 * (index % testsInWord);
    const answer = (reading: NodeReading): boolean =>
      isMarked(reading.node) &&
      (image === undefined || reading.images.some(image)) &&
      (any === undefined || any.some((one) => one.holds(reading))) &&
      (not === undefined || !not.holds(reading));
    return {
      holds: (reading) => {
        const known = ((reading.answers[word] as number) >> shift) & 3;
        if (known !== 0) return known === 2;
        const holds = answer(reading);
        (reading.answers[word] as number) |= (holds ? 2 : 1) << shift;
        return holds;
      },
      holdsFor: (node, texts) =>
        isMarked(node) &&
        (image === undefined || image(texts)) &&
        (any === undefined || any.some((one) => one.holdsFor(node, texts))) &&
        (not === undefined || !not.holdsFor(node, texts)),
    };
  }
}

/** The test's image keys, which one image must satisfy together; undefined where there are none. */
function imageTest({ names, paths, users, commandLines }: ProcessTest): ImageTest | undefined {
  const tests: ImageTest[] = [];
  const add = (patterns: readonly string[] | undefined, of: (isIn: TextTest) => ImageTest): void => {
    if (patterns !== undefined) tests.push(of(foldedSet(patterns)));
  };
  add(names, (isIn) => (texts) => isIn(texts.name));
  add(paths, (isIn) => (texts) => isIn(texts.path));
  add(users, (isIn) => (texts) => isIn(texts.user));
  add(commandLines, (isIn) => (texts) => isIn(texts.commandLine));
  const [first] = tests;
  if (tests.length <= 1) return first;
  return (texts) => tests.every((test) => test(texts));
}
