/** Witnesses of a shard on their way to the engine's own judgement, with how far the hosts are that it knows of them. */
import type { Witness } from '../correlator/behavior/witness.js';
import type { CorrelatorPart } from '../correlator/correlator.js';
import type { Rule } from '../rule/ir.js';
import type { ForwardedWitnesses } from './messages.js';

/** Host records that stand for no host. */
const reservedHosts = 2;

export class WitnessOutbox {
  readonly #ruleIds: readonly string[];
  #witnesses: { rule: string; witness: Witness }[] = [];
  /** Hosts that were witnessed since the last time, by index. */
  readonly #touched = new Set<number>();
  /** Watermark that was told of a host last. */
  readonly #told = new Map<number, { readonly id: string; watermarkUs: number }>();
  /** Hosts of a snapshot may have been witnessed before it: each is told of. */
  #isEveryHostTold = false;

  constructor(rules: readonly Rule[]) {
    this.#ruleIds = rules.filter(({ kind }) => kind === 'behavior').map(({ id }) => id);
  }

  add(rule: string, host: number, witness: Witness): void {
    this.#witnesses.push({ rule, witness });
    this.#touched.add(host);
    const { id } = witness.host;
    if (this.#told.get(host)?.id !== id) this.#told.set(host, { id, watermarkUs: Number.NEGATIVE_INFINITY });
  }

  knowAll(): void {
    this.#isEveryHostTold = true;
  }

  /** What there is to forward since the last call. */
  take(correlator: CorrelatorPart): ForwardedWitnesses {
    const witnesses = this.#witnesses;
    this.#witnesses = [];
    if (this.#isEveryHostTold) this.#findHosts(correlator);
    const hosts = [...this.#told].flatMap(([host, told]) => {
      const watermarkUs = correlator.kernel.hostWatermarkUs(host);
      const isTouched = this.#touched.has(host);
      if (!isTouched && watermarkUs <= told.watermarkUs) return [];
      told.watermarkUs = watermarkUs;
      const entry = { id: told.id, watermarkUs };
      const coverage = isTouched ? this.#coverageOf(correlator, host) : {};
      return [Object.keys(coverage).length === 0 ? entry : { ...entry, coverage }];
    });
    this.#touched.clear();
    return { witnesses, hosts };
  }

  #findHosts({ kernel }: CorrelatorPart): void {
    for (let host = reservedHosts; host < kernel.hostCount; host++) {
      const id = kernel.hostName(host);
      if (this.#told.get(host)?.id !== id) this.#told.set(host, { id, watermarkUs: Number.NEGATIVE_INFINITY });
    }
  }

  #coverageOf(correlator: CorrelatorPart, host: number): NonNullable<ForwardedWitnesses['hosts'][number]['coverage']> {
    const known = this.#ruleIds.map((id) => [id, correlator.coverageOf(host, id)] as const);
    return Object.fromEntries(known.filter(([, coverage]) => coverage !== undefined));
  }
}
