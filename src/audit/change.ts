import type { Containers } from '../containers/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'

/** What a change is about. */
export type Subject = {
  /** Full id of the container. */
  id?: string | undefined
  /** Its name. */
  name?: string | undefined
  image?: string | undefined
}

/** A change that was asked for, while it happens: what the entry of the audit will say. */
export type Change = {
  readonly subject: Readonly<Subject>
  /** Why what held it failed. */
  readonly failure: unknown
  /** A container was looked up. The first one is the one that it is about. */
  found (document: Pick<ContainerDocument, 'Id' | 'Name' | 'Config'>): void
  /** What is known better by now. */
  about (subject: Subject): void
  /** The change goes on after the answer, until this settles; when it rejects, the change has failed. */
  hold (work: Promise<unknown>): void
  /** Resolves when nothing holds it any more. */
  settled (): Promise<void>
}

/** What reads notes nothing. */
export const NO_CHANGE: Change = { subject: {}, failure: undefined, found () {}, about () {}, hold () {}, async settled () {} }

export function createChange (): Change {
  const subject: Subject = {}
  const held: Array<Promise<unknown>> = []
  let failure: unknown

  return {
    subject,
    get failure () { return failure },
    found (document) {
      if (subject.id === undefined) Object.assign(subject, subjectOf(document))
    },
    about (known) { Object.assign(subject, known) },
    hold (work) { held.push(work.catch((error: unknown) => { failure = error })) },
    async settled () {
      while (held.length > 0) await Promise.all(held.splice(0))
    }
  }
}

/** The same containers; which one is looked up is noted for the change. */
export function noting (containers: Containers, change: Change): Containers {
  if (change === NO_CHANGE) return containers
  return {
    ...containers,
    async find (reference, signal) {
      const document = await containers.find(reference, signal)
      change.found(document)
      return document
    }
  }
}

export function subjectOf ({ Id: id, Name, Config: { Image: image } }: Pick<ContainerDocument, 'Id' | 'Name' | 'Config'>): Subject {
  return { id, name: Name.slice(1), image }
}
