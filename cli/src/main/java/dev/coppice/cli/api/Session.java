package dev.coppice.cli.api;

import static dev.coppice.cli.api.ApiClient.encode;

import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Close;
import dev.coppice.cli.output.Output;
import dev.coppice.cli.output.ProgressBar;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/** One run of the command: the API, the output, and the look-ups from what people type to ids. */
public final class Session implements AutoCloseable {
    /** The most projects the API gives at once. */
    private static final int PROJECTS_PAGE = 100;

    /** The most names in a message. */
    private static final int NAMES_SHOWN = 20;

    /** The API's words for an operation that has not ended, and for one that ended badly. */
    private static final Set<String> UNDER_WAY = Set.of("scheduling", "running", "cancelling");

    private static final Set<String> FAILED = Set.of("failed", "error", "cancelled");
    private static final Pattern PROJECT_ID = Pattern.compile("[a-z]+-[a-z]+-[0-9]{8}");
    private static final Duration OPERATION_POLL = Duration.ofMillis(200);
    private static final Duration OPERATION_LIMIT = Duration.ofHours(24);
    private static final double WHOLE = 100;

    private final ApiAddress address;
    private final ApiClient api;
    private final Output output;
    private final PrintWriter err;
    private final Map<String, String> environment;
    private final @Nullable String contextBranch;
    private @Nullable String projectId;
    private boolean projectKnown;

    /**
     * @param err where a person is told to wait
     * @param projectId by name or id; absent = the only one
     * @param contextBranch the branch that is meant when none is named; absent = the default one
     */
    public Session(
            ApiAddress address,
            Output output,
            PrintWriter err,
            @Nullable String projectId,
            @Nullable String contextBranch,
            Map<String, String> environment) {
        this.address = address;
        this.api = new ApiClient(address, err);
        this.contextBranch = contextBranch;
        this.output = output;
        this.err = err;
        this.projectId = projectId;
        this.environment = environment;
    }

    public ApiClient api() {
        return api;
    }

    public ApiAddress address() {
        return address;
    }

    public Output output() {
        return output;
    }

    public Map<String, String> environment() {
        return environment;
    }

    /** Every project, over as many pages as there are. */
    public ArrayNode projects() {
        ArrayNode all = JsonMapper.shared().createArrayNode();
        String cursor = "";
        while (true) {
            JsonNode page = api.get("/projects?limit=" + PROJECTS_PAGE + cursor);
            JsonNode projects = page.path("projects");
            projects.forEach(all::add);
            String next = page.path("pagination").path("cursor").asString("");
            if (projects.size() < PROJECTS_PAGE || next.isEmpty()) {
                return all;
            }
            cursor = "&cursor=" + encode(next);
        }
    }

    /** The API path of the project that {@code --project} names, or of the only one. */
    public String projectPath() {
        if (projectId == null) {
            projectId = onlyProject();
        } else if (!projectKnown) {
            projectId = projectId(projectId);
        }
        projectKnown = true;
        return "/projects/" + encode(projectId);
    }

    /** The id of the project with this name or id. */
    public String projectId(String idOrName) {
        if (PROJECT_ID.matcher(idOrName).matches()) {
            return idOrName;
        }
        List<String> names = new ArrayList<>();
        List<String> named = new ArrayList<>();
        for (JsonNode project : projects()) {
            String id = project.path("id").asString("");
            if (id.equals(idOrName)) {
                return id;
            }
            names.add(project.path("name").asString(""));
            if (names.getLast().equals(idOrName)) {
                named.add(id);
            }
        }
        if (named.size() > 1) {
            throw new CliException(
                    CliException.USAGE,
                    named.size() + " projects have the name \"" + idOrName + "\"",
                    "name one by its id: " + some(named));
        }
        if (named.isEmpty()) {
            throw notThere("project", idOrName, names);
        }
        return named.getFirst();
    }

    /** @param names what is there */
    private static CliException notThere(String what, String name, List<String> names) {
        List<String> close = Close.to(name, names);
        String hint = null;
        if (!close.isEmpty()) {
            hint = "close to it: " + String.join(", ", close);
        } else if (!names.isEmpty()) {
            hint = "the " + (what.endsWith("h") ? what + "es" : what + "s") + " are " + some(names);
        }
        return new CliException(CliException.REFUSED, "there is no " + what + " \"" + name + "\"", hint);
    }

    private String onlyProject() {
        JsonNode projects = projects();
        if (projects.size() == 1) {
            return projects.get(0).path("id").asString("");
        }
        List<String> names = new ArrayList<>();
        projects.forEach(
                p -> names.add(p.path("id").asString("") + " (" + p.path("name").asString("") + ")"));
        throw names.isEmpty()
                ? new CliException(CliException.REFUSED, "there is no project", "coppice projects create --name NAME")
                : new CliException(
                        CliException.USAGE,
                        "there are several projects",
                        "pass --project with a name or an id: " + some(names));
    }

    public JsonNode branches(String project) {
        return api.get(project + "/branches").path("branches");
    }

    /** The branch with this id or name; null = that of the context, else the default branch. */
    public JsonNode branch(String project, @Nullable String idOrName) {
        return exactly(project, idOrName == null ? contextBranch : idOrName);
    }

    /** The branch with this id or name; null when there is none. */
    @Nullable
    public JsonNode branchIfThere(String project, String idOrName) {
        JsonNode byName = null;
        for (JsonNode branch : branches(project)) {
            if (isId(branch, idOrName)) {
                return branch;
            }
            if (branch.path("name").asString("").equals(idOrName)) {
                byName = branch;
            }
        }
        return byName;
    }

    /** The branch with this id or name; null = the default branch, whatever the context says. */
    public JsonNode parent(String project, @Nullable String idOrName) {
        return exactly(project, idOrName);
    }

    private JsonNode exactly(String project, @Nullable String idOrName) {
        JsonNode branches = branches(project);
        JsonNode byName = null;
        List<String> names = new ArrayList<>();
        for (JsonNode branch : branches) {
            String name = branch.path("name").asString("");
            names.add(name);
            if (idOrName == null ? branch.path("default").asBoolean(false) : isId(branch, idOrName)) {
                return branch;
            }
            if (name.equals(idOrName)) {
                byName = branch;
            }
        }
        if (byName != null) {
            return byName;
        }
        throw idOrName == null
                ? new CliException(
                        CliException.REFUSED,
                        "the project has no default branch",
                        names.isEmpty() ? null : "the branches are " + some(names))
                : notThere("branch", idOrName, names);
    }

    /** The first names of a list that may be long. */
    private static String some(List<String> names) {
        int more = names.size() - NAMES_SHOWN;
        return more <= 0
                ? String.join(", ", names)
                : String.join(", ", names.subList(0, NAMES_SHOWN)) + " and " + more + " more";
    }

    private static boolean isId(JsonNode branch, String idOrName) {
        return branch.path("id").asString("").equals(idOrName);
    }

    /** The API path of {@link #branch}. */
    public String branchPath(String project, @Nullable String idOrName) {
        return path(project, branch(project, idOrName));
    }

    public static String path(String project, JsonNode branch) {
        return project + "/branches/" + encode(branch.path("id").asString(""));
    }

    /**
     * The connection string of a branch. Without a database the one that sorts first by age is taken, as the API lists
     * it; without a role, the owner of the database.
     */
    public JsonNode connectionUri(String project, JsonNode branch, @Nullable String database, @Nullable String role) {
        return connectionUri(project, branch, database, role, false);
    }

    /** @param pooled whether through the branch's pool */
    public JsonNode connectionUri(
            String project, JsonNode branch, @Nullable String database, @Nullable String role, boolean pooled) {
        String chosenDatabase = database;
        String chosenRole = role;
        if (database == null || role == null) {
            JsonNode databases = api.get(path(project, branch) + "/databases").path("databases");
            List<String> names = new ArrayList<>();
            JsonNode found = null;
            for (JsonNode candidate : databases) {
                String name = candidate.path("name").asString("");
                names.add(name);
                if (found == null && (database == null || name.equals(database))) {
                    found = candidate;
                }
            }
            if (found == null) {
                throw database == null
                        ? new CliException(CliException.REFUSED, "the branch has no database", null)
                        : notThere("database", database, names);
            }
            chosenDatabase = found.path("name").asString("");
            chosenRole = role != null ? role : found.path("owner_name").asString("");
        }
        return api.get(project + "/connection_uri?branch_id="
                + encode(branch.path("id").asString(""))
                + "&database_name="
                + encode(String.valueOf(chosenDatabase))
                + "&role_name="
                + encode(String.valueOf(chosenRole))
                + (pooled ? "&pooled=true" : ""));
    }

    /** Returns the answer when the operations that it mentions have ended. */
    public JsonNode finished(JsonNode answer) {
        try (ProgressBar bar = new ProgressBar(err, true)) {
            return finished(answer, bar);
        }
    }

    private JsonNode finished(JsonNode answer, ProgressBar bar) {
        long deadline = System.nanoTime() + OPERATION_LIMIT.toNanos();
        for (JsonNode started : answer.path("operations")) {
            String path =
                    projectPath() + "/operations/" + encode(started.path("id").asString(""));
            JsonNode operation = started;
            while (UNDER_WAY.contains(operation.path("status").asString(""))) {
                if (System.nanoTime() > deadline) {
                    throw new CliException(
                            CliException.REFUSED, "still under way: " + what(operation), "coppice operations list");
                }
                JsonNode progress = operation.path("progress");
                if (!progress.path("stage").asString("").isEmpty()) {
                    bar.show(
                            progress.path("stage").asString(""),
                            progress.path("percent").asInt(0) / WHOLE);
                }
                ApiClient.pause(OPERATION_POLL);
                operation = api.get(path).path("operation");
            }
            if (FAILED.contains(operation.path("status").asString(""))) {
                String error = operation.path("error").asString("");
                throw new CliException(
                        CliException.REFUSED,
                        what(operation) + " failed" + (error.isEmpty() ? "" : ": " + error),
                        null);
            }
        }
        return answer;
    }

    private static String what(JsonNode operation) {
        return operation.path("action").asString("operation") + " "
                + operation.path("id").asString("");
    }

    @Override
    public void close() {
        api.close();
    }
}
