// What a program does with Neon's API client: prints one JSON object with what it saw. Usage: node api-client.cjs URL KEY
const { createApiClient } = require("@neondatabase/api-client");

async function main(baseURL, apiKey) {
  const client = createApiClient({ apiKey, baseURL });
  const project = (await client.listProjects({})).data.projects[0];
  const created = (
    await client.createProjectBranch(project.id, {
      branch: { name: "from-the-api-client" },
      endpoints: [{ type: "read_write" }],
      annotation_value: { made_by: "api-client" },
    })
  ).data;
  const listed = (await client.listProjectBranches({ projectId: project.id, search: "from-the-api-client" })).data;
  const uri = (
    await client.getConnectionUri({
      projectId: project.id,
      branch_id: created.branch.id,
      database_name: created.databases[0].name,
      role_name: created.roles[0].name,
      pooled: true,
    })
  ).data.uri;
  const operation = (await client.getProjectOperation(project.id, created.operations[0].id)).data.operation;
  let refusal;
  try {
    await client.getProjectBranch(project.id, "br-no-such-00000000");
  } catch (error) {
    refusal = { status: error.response.status, message: error.response.data.message };
  }
  const deleted = (await client.deleteProjectBranch({ projectId: project.id, branchId: created.branch.id })).status;
  console.log(
    JSON.stringify({
      uri,
      deleted,
      refusal,
      operation: operation.status,
      annotation: listed.annotations[created.branch.id].value.made_by,
      count: listed.branches.length,
    }),
  );
}

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(error);
  process.exit(1);
});
