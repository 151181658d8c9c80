import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import { METRICS } from './catalogue.ts'
import type { MetricName } from './catalogue.ts'
import { createCountedHistogram } from './counted-histogram.ts'
import type { CountedHistogram } from './counted-histogram.ts'

type NamesOf<Type extends string> = { [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never }[MetricName]

/** Makes the metrics of the catalogue. */
export type Instruments = {
  counter (name: NamesOf<'counter'>): Counter
  gauge (name: NamesOf<'gauge'>): Gauge
  /** @param buckets Upper bounds in seconds. */
  histogram (name: NamesOf<'histogram'>, buckets: number[]): Histogram
  /** @param bounds Upper bounds in seconds. */
  countedHistogram (name: NamesOf<'histogram'>, bounds: readonly number[]): CountedHistogram
}

export function createInstruments (registry: Registry): Instruments {
  const described = (name: MetricName) => ({ name, help: METRICS[name].help, labelNames: [...METRICS[name].labels], registers: [registry] })
  return {
    counter: (name) => new Counter(described(name)),
    gauge: (name) => new Gauge(described(name)),
    histogram: (name, buckets) => new Histogram({ ...described(name), buckets }),
    countedHistogram: (name, bounds) => createCountedHistogram(registry, described(name), bounds)
  }
}
