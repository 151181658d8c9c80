import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config/load.ts'
import { writeOrCheck } from './generated-file.ts'

// The document says what the routes declare; it depends on no setting, no engine and no machine.
const app = await buildApp(loadConfig({ env: { DOCKAPI_DATA_DIR: 'memory' } }))
await app.ready()
await writeOrCheck('openapi/openapi.json', `${JSON.stringify(app.swagger(), null, 2)}\n`, 'npm run openapi')
await app.close()
