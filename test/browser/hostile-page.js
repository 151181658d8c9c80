/* global document */

/** Runs inside a page: tries everything that a page may try against the API and answers with the names of what succeeded. */
globalThis.attack = async function attack (api) {
  const succeeded = []
  async function attempt (name, run) {
    try {
      if (await run()) succeeded.push(name)
    } catch { /* Refused, as it should be. */ }
  }
  function settled (element) {
    return new Promise((resolve) => {
      element.onload = () => { resolve(true) }
      element.onerror = () => { resolve(false) }
      document.body.append(element)
    })
  }
  const create = (name, properties) => Object.assign(document.createElement(name), properties)

  await attempt('fetch', async () => (await fetch(`${api}/secret`)).ok)
  await attempt('simple POST', async () => (await fetch(`${api}/act`, { method: 'POST' })).ok)
  await attempt('blind POST', async () => { await fetch(`${api}/act`, { method: 'POST', mode: 'no-cors', body: '{"image":"x"}' }) })
  await attempt('JSON POST', async () => (await fetch(`${api}/act`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).ok)
  await attempt('beacon', async () => { navigator.sendBeacon(`${api}/act`, 'x') })
  await attempt('script', async () => settled(create('script', { src: `${api}/secret` })))
  await attempt('picture', async () => settled(create('img', { src: `${api}/secret` })))
  await attempt('frame', async () => {
    const frame = create('iframe', { src: `${api}/secret` })
    await settled(frame)
    return frame.contentDocument?.body.textContent.includes('secret')
  })
  await attempt('form', async () => {
    const frame = create('iframe', { name: 'answer' })
    const form = create('form', { action: `${api}/act`, method: 'post', target: 'answer', enctype: 'text/plain' })
    document.body.append(frame, form)
    const loaded = new Promise((resolve) => { frame.onload = resolve })
    form.submit()
    await loaded
    return frame.contentDocument?.body.textContent.includes('{}')
  })
  await attempt('WebSocket', () => new Promise((resolve) => {
    const socket = new WebSocket(`${api.replace('http', 'ws')}/secret`)
    socket.onopen = () => { resolve(true) }
    socket.onerror = () => { resolve(false) }
  }))
  return succeeded
}
