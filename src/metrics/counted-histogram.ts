import type { Metric, Registry } from 'prom-client'

/** A histogram of what was counted elsewhere; that of prom-client takes only single observations. */
export type CountedHistogram = {
  /** What is added for the same labels is told as one. */
  add (labels: Labels, counts: HistogramCounts): void
  reset (): void
}

/** In the unit of the metric. */
export type HistogramCounts = {
  count: number
  sum: number
  /** For each upper bound how many were at most so much, smaller ones included. */
  withinBounds: readonly number[]
}

type Labels = Readonly<Record<string, string>>
type Described = { name: string, help: string }
type Series = { readonly labels: Labels, counts: HistogramCounts }

export function createCountedHistogram (registry: Registry, { name, help }: Described, bounds: readonly number[]): CountedHistogram {
  const all = new Map<string, Series>()

  function add (labels: Labels, counts: HistogramCounts) {
    const key = JSON.stringify(labels)
    const known = all.get(key)
    all.set(key, { labels, counts: known === undefined ? counts : sumOf(known.counts, counts) })
  }

  function reset () { all.clear() }

  async function get () {
    return { name, help, type: 'histogram', values: [...all.values()].flatMap(samplesOf) }
  }

  function samplesOf ({ labels, counts: { count, sum, withinBounds } }: Series) {
    // The registry writes shared labels once for all samples of a series: half of its work.
    const named = (suffix: string, value: number, own: { le?: string | number } = {}) => ({ metricName: `${name}_${suffix}`, labels: own, sharedLabels: labels, value })
    return [
      ...bounds.map((le, index) => named('bucket', withinBounds[index]!, { le })),
      named('bucket', count, { le: '+Inf' }),
      named('sum', sum),
      named('count', count)
    ]
  }

  // A registry asks a metric for no more than this; its type names prom-client's own classes.
  registry.registerMetric({ name, get, reset } as unknown as Metric)
  return { add, reset }
}

function sumOf (one: HistogramCounts, other: HistogramCounts): HistogramCounts {
  return { count: one.count + other.count, sum: one.sum + other.sum, withinBounds: one.withinBounds.map((count, index) => count + other.withinBounds[index]!) }
}
