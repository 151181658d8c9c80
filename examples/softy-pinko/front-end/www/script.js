const port = location.port === '' ? '' : `:${location.port}`
const other = `${location.protocol}//api.softy-pinko.localhost${port}`

document.querySelector('#other').textContent = other
document.querySelector('#ask').addEventListener('click', askTenTimes)
askAcross()

async function askTenTimes () {
  const list = document.querySelector('#answers')
  list.replaceChildren()
  for (let count = 0; count < 10; count++) {
    const { message, server } = await (await fetch('/api/hello')).json()
    const item = document.createElement('li')
    item.textContent = `${message} I am ${server}.`
    item.dataset.server = server
    list.append(item)
  }
}

async function askAcross () {
  const greeting = document.querySelector('#greeting')
  try {
    const { message, server } = await (await fetch(`${other}/api/hello`)).json()
    greeting.textContent = `${message} I am ${server}.`
  } catch (error) {
    greeting.textContent = `It did not work: ${error.message}`
  }
}
