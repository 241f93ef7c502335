package dev.coppice.cli.command.project;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.output.Output.Column;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "api-keys",
        aliases = "api-key",
        description = "List, create and revoke keys of the API.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice api-keys create --name ci --only-project --project-id misty-fern-12345678",
            "  coppice api-keys create --name previews --anonymized --project-id misty-fern-12345678",
            "  coppice api-keys revoke 3"
        })
public final class ApiKeysCommand {
    private static final List<Column> KEYS = List.of(
            Column.of("ID", "id"),
            Column.of("NAME", "name"),
            Column.of("PROJECT", "project_id"),
            Column.of("SCOPE", "scope"),
            Column.time("CREATED", "created_at"),
            Column.time("LAST USED", "last_used_at"),
            Column.of("FROM", "last_used_from_addr"));

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "list", description = "List the keys, without what they are.")
    int list() {
        return withSession(spec, session -> {
            session.output().list(session.api().get("/api_keys"), "There is no key.", KEYS);
            return 0;
        });
    }

    @Command(name = "create", description = "Create a key. It is shown this once; only its hash is stored.")
    int create(
            @Option(names = "--name", required = true, paramLabel = "NAME", description = "What it is for.")
                    String name,
            @Option(
                            names = "--only-project",
                            description = "It opens one project only: that of --project-id, else the only one.")
                    boolean onlyProject,
            @Option(
                            names = "--anonymized",
                            description =
                                    "It makes and uses anonymized branches of the project only: for those who must"
                                            + " not see originals.")
                    boolean anonymized) {
        return withSession(spec, session -> {
            ObjectNode body = JsonMapper.shared().createObjectNode().put("key_name", name);
            if (onlyProject || anonymized) {
                body.put("project_id", session.projectPath().replaceFirst(".*/", ""));
            }
            if (anonymized) {
                body.put("scope", "anonymized");
            }
            JsonNode created = session.api().post("/api_keys", body);
            session.output()
                    .object(
                            created,
                            List.of(
                                    Column.of("ID", "id"),
                                    Column.of("NAME", "name"),
                                    Column.of("PROJECT", "project_id"),
                                    Column.of("KEY", "key")));
            return 0;
        });
    }

    @Command(name = "revoke", description = "Revoke a key: it opens nothing from now on.")
    int revoke(@Parameters(paramLabel = "ID", description = "Its number.") String id) {
        return withSession(spec, session -> {
            session.output().object(session.api().delete("/api_keys/" + encode(id)), KEYS);
            return 0;
        });
    }
}
