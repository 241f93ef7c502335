package dev.coppice.cli.command.server;

import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.ApiClient;
import dev.coppice.cli.api.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "status",
        description = "Show the server, how computes are isolated, its projects, and how many computes run.")
public final class StatusCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        return withSession(spec, session -> {
            ObjectNode status = JsonMapper.shared().createObjectNode();
            status.put("api_url", session.address().base().toString());
            JsonNode server = session.api().get("/server");
            status.put("isolation", server.path("isolation").asString(""));
            status.set("isolation_missing", server.path("isolation_missing"));
            ArrayNode projects = status.putArray("projects");
            for (JsonNode project : session.projects()) {
                projects.add(summary(session, project));
            }
            if (!session.output().isTable()) {
                session.output().tree(status);
                return 0;
            }
            session.output().line("Coppice answers at " + session.address());
            session.output().line("isolation: " + isolation(server));
            for (JsonNode p : projects) {
                session.output()
                        .line("project " + p.path("name").asString("") + " ("
                                + p.path("id").asString("") + "): "
                                + branches(p.path("branches").asInt()) + ", "
                                + p.path("computes_active").asInt() + " of "
                                + p.path("computes").asInt()
                                + " computes active"
                                + slowed(p.path("computes_slowed").asInt()));
            }
            return 0;
        });
    }

    private static String slowed(int number) {
        return number == 0
                ? ""
                : ", " + number + " slowed down: they write faster than the disk takes it (coppice storage stats)";
    }

    private static String isolation(JsonNode server) {
        List<String> missing = new ArrayList<>();
        server.path("isolation_missing").forEach(each -> missing.add(each.asString("")));
        String name = server.path("isolation").asString("");
        return missing.isEmpty() ? name : name + " (missing: " + String.join("; ", missing) + ")";
    }

    private static String branches(int number) {
        return number == 1 ? "1 branch" : number + " branches";
    }

    private static ObjectNode summary(Session session, JsonNode project) {
        String id = project.path("id").asString("");
        String path = "/projects/" + ApiClient.encode(id);
        JsonNode endpoints = session.api().get(path + "/endpoints").path("endpoints");
        int active = 0;
        int slowed = 0;
        for (JsonNode endpoint : endpoints) {
            if (endpoint.path("current_state").asString("").equals("active")) {
                active++;
            }
            if (endpoint.has("write_delay_microseconds")) {
                slowed++;
            }
        }
        return JsonMapper.shared()
                .createObjectNode()
                .put("id", id)
                .put("name", project.path("name").asString(""))
                .put("branches", session.branches(path).size())
                .put("computes", endpoints.size())
                .put("computes_active", active)
                .put("computes_slowed", slowed);
    }
}
