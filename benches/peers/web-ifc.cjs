// Every mesh of a model, by web-ifc: node web-ifc.cjs FOLDER-WITH-node_modules [FILE]
const { readFileSync } = require("fs");
const { createRequire } = require("module");
const { join } = require("path");

async function main() {
  const [folder, file] = process.argv.slice(2);
  const webIfc = createRequire(join(folder, "package.json"))("web-ifc");
  const api = new webIfc.IfcAPI();
  await api.Init();
  api.SetLogLevel(webIfc.LogLevel.LOG_LEVEL_OFF);
  const elements = new Set();
  let triangles = 0;
  if (file) {
    const model = api.OpenModel(new Uint8Array(readFileSync(file)));
    api.StreamAllMeshes(model, (mesh) => {
      for (let i = 0; i < mesh.geometries.size(); i++) {
        const placed = mesh.geometries.get(i);
        const geometry = api.GetGeometry(model, placed.geometryExpressID);
        api.GetVertexArray(geometry.GetVertexData(), geometry.GetVertexDataSize());
        triangles += api.GetIndexArray(geometry.GetIndexData(), geometry.GetIndexDataSize()).length / 3;
        elements.add(mesh.expressID);
        geometry.delete();
      }
    });
    api.CloseModel(model);
  }
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpu_s: (user + system) / 1e6, elements: elements.size, triangles }));
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
