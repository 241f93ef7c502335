package dev.coppice.cli.command.branch;

import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.PointInTime;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.TableColumns;
import dev.coppice.cli.output.Times;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "branches",
        aliases = "branch",
        description = "List, create, show, rename, reset, restore and delete branches.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ResetCommand.class,
            RestoreCommand.class,
            SchemaDiffCommand.class,
            BranchLifeCommands.SetExpiration.class,
            BranchLifeCommands.Protect.class,
            BranchLifeCommands.Unprotect.class,
            BranchLifeCommands.Recover.class
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice branches create --name dev-alice",
            "  coppice branches create --name before-it --at 2026-11-21T09:30:00Z",
            "  coppice branches create --name replay --parent dev-alice --at 0/16B3748",
            "  coppice branches reset staging --parent",
            "  coppice branches restore main ^self@2026-11-21T09:30:00Z --preserve-under-name main-broken",
            "  coppice branches delete dev-alice"
        })
public final class BranchesCommand {
    private static final List<String> KINDS = List.of("ordinary", "anonymized", "schema-only");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "list", description = "List the branches; the default branch is marked with *.")
    int list(
            @Option(names = "--tree", description = "Parents before their children, which are indented.") boolean tree,
            @Option(
                            names = "--kind",
                            paramLabel = "KIND",
                            description = "Only those of a kind: ordinary, anonymized or schema-only.")
                    @Nullable
                    String kind) {
        if (kind != null && !KINDS.contains(kind)) {
            throw new CliException(
                    CliException.USAGE,
                    "--kind: there is no kind \"" + kind + "\"",
                    "there are " + String.join(", ", KINDS));
        }
        return withSession(spec, session -> {
            String project = session.projectPath();
            if (session.output().isTable()) {
                BranchTable table = BranchTable.read(session, project);
                session.output().list(table.rows(kind, tree), "There is no branch.", table.columns());
                return 0;
            }
            ArrayNode chosen = JsonMapper.shared().createArrayNode();
            session.branches(project).forEach(branch -> {
                if (kind == null || BranchTable.kind(branch).equals(kind)) {
                    chosen.add(branch);
                }
            });
            session.output().list(chosen, "", List.of());
            return 0;
        });
    }

    public static String nameOf(JsonNode branches, String id) {
        for (JsonNode branch : branches) {
            if (branch.path("id").asString("").equals(id)) {
                return branch.path("name").asString("");
            }
        }
        return id;
    }

    @Command(name = "get", description = "Show a branch.")
    int get(@Parameters(paramLabel = "BRANCH", description = "Its name or id.") String branch) {
        return withSession(spec, session -> {
            String project = session.projectPath();
            String path = session.branchPath(project, branch);
            JsonNode found = session.api().get(path).path("branch");
            if (!session.output().isTable()) {
                session.output().tree(found);
                return 0;
            }
            // Only a branch with rules of its own has a state of them; its children read through it.
            JsonNode masking = BranchTable.kind(found).equals("anonymized")
                    ? session.api().getIfThere(path + "/anonymized_status")
                    : JsonMapper.shared().missingNode();
            session.output().object(found, BranchTable.read(session, project).detail(masking));
            return 0;
        });
    }

    @Command(
            name = "create",
            description = "Create a branch with its parent's data, as of now or of a past moment; prints its connection"
                    + " string. Answers when the branch can be connected to.")
    int create(
            @Option(names = "--name", required = true, paramLabel = "NAME", description = "Its name.") String name,
            @Option(
                            names = "--parent",
                            paramLabel = "BRANCH",
                            description = "The branch to start from, by name or id. Default: the default branch.")
                    @Nullable
                    String parent,
            @Option(
                            names = "--at",
                            paramLabel = "POINT",
                            description =
                                    "An LSN (0/16B3748), a time (2026-11-21T09:30:00Z) or \"10m ago\" in the parent's history."
                                            + " Default: now.")
                    @Nullable
                    String at,
            @Option(
                            names = "--schema-only",
                            description = "With the parent's tables and none of its rows; a root branch of its own.")
                    boolean schemaOnly,
            @Option(
                            names = "--expires-at",
                            paramLabel = "TIME",
                            description =
                                    "When it is deleted by itself: 2h, 7d, or a time like 2026-11-21T09:30:00Z. Default: never.")
                    @Nullable
                    String expiresAt,
            @Option(
                            names = "--suspend-timeout",
                            paramLabel = "DURATION",
                            description = "Time without a query until its compute is suspended, " + Times.DURATION
                                    + "; or never. Default: as the server is configured.")
                    @Nullable
                    String suspendTimeout,
            @Option(
                            names = "--if-not-exists",
                            description = "Leave a branch of this name as it is, and print its string.")
                    boolean ifNotExists,
            @Option(
                            names = "--no-wait",
                            description = "Do not wait until it can be connected to; connecting waits then.")
                    boolean noWait,
            @Mixin AnonymizedOptions anonymized) {
        ObjectNode body = JsonMapper.shared().createObjectNode();
        ObjectNode wanted = body.putObject("branch").put("name", name);
        if (schemaOnly) {
            wanted.put("init_source", "schema-only");
        }
        if (expiresAt != null) {
            wanted.put("expires_at", Times.ahead(expiresAt, "--expires-at", Instant.now()));
        }
        if (at != null) {
            PointInTime.parse(at, "--at").put(wanted, "parent");
        }
        ObjectNode endpoint = body.putArray("endpoints").addObject().put("type", "read_write");
        if (suspendTimeout != null) {
            endpoint.put("suspend_timeout_seconds", Times.suspendSeconds(suspendTimeout, "--suspend-timeout"));
        }
        return withSession(spec, session -> {
            String project = session.projectPath();
            JsonNode there = ifNotExists ? session.branchIfThere(project, name) : null;
            if (there != null) {
                return existing(session, project, there);
            }
            JsonNode from = session.parent(project, parent);
            wanted.put("parent_id", from.path("id").asString(""));
            JsonNode answer = anonymized.create(session, project, body);
            JsonNode created = noWait ? answer : session.finished(answer);
            if (!session.output().isTable()) {
                session.output().tree(created);
                return 0;
            }
            JsonNode branch = created.path("branch");
            String uri = created.path("connection_uris")
                    .path(0)
                    .path("connection_uri")
                    .asString("");
            session.output()
                    .line("Branch " + name + " (" + branch.path("id").asString("") + ") of "
                            + from.path("name").asString("") + point(branch) + " is ready:");
            session.output()
                    .line("\n"
                            + (uri.isEmpty()
                                    ? session.connectionUri(project, branch, null, null)
                                            .path("uri")
                                            .asString("")
                                    : uri));
            return 0;
        });
    }

    private static int existing(Session session, String project, JsonNode branch) {
        if (!session.output().isTable()) {
            ObjectNode answer = JsonMapper.shared().createObjectNode();
            answer.set("branch", branch);
            session.output().tree(answer);
            return 0;
        }
        session.output().line("Branch " + branch.path("name").asString("") + " is there already:");
        session.output()
                .line("\n"
                        + session.connectionUri(project, branch, null, null)
                                .path("uri")
                                .asString(""));
        return 0;
    }

    private static String point(JsonNode branch) {
        String lsn = branch.path("parent_lsn").asString("");
        return lsn.isEmpty() ? "" : " at " + lsn;
    }

    @Command(name = "rename", description = "Rename a branch; its data and its address stay.")
    int rename(
            @Parameters(paramLabel = "BRANCH", description = "Its name or id.") String branch,
            @Parameters(paramLabel = "NEW-NAME", description = "Its new name.") String newName) {
        return withSession(spec, session -> {
            ObjectNode body = JsonMapper.shared().createObjectNode();
            body.putObject("branch").put("name", newName);
            String path = session.branchPath(session.projectPath(), branch);
            session.output().object(session.api().patch(path, body).path("branch"), TableColumns.BRANCH);
            return 0;
        });
    }

    @Command(
            name = "delete",
            description =
                    "Delete a branch. It can be recovered for as long as the server is told, seven days by default. A"
                            + " branch with children is refused.")
    int delete(
            @Parameters(paramLabel = "BRANCH", description = "Its name or id.") String branch,
            @Option(names = "--hard", description = "For good: its space is free at once.") boolean hard,
            @Option(names = "--if-exists", description = "Without an error when there is no such branch.")
                    boolean ifExists) {
        return withSession(spec, session -> {
            String project = session.projectPath();
            if (ifExists && session.branchIfThere(project, branch) == null) {
                if (session.output().isTable()) {
                    session.output().line("There is no branch " + branch + ".");
                }
                return 0;
            }
            JsonNode found = session.branch(project, branch);
            JsonNode deleted = session.api()
                    .delete(Session.path(project, found) + (hard ? "?hard_delete=true" : ""))
                    .path("branch");
            if (session.output().isTable()) {
                String name = found.path("name").asString("");
                String until =
                        deleted.path("recovery").path("recoverable_until").asString("");
                session.output()
                        .line("Branch " + name + " is deleted."
                                + (until.isEmpty()
                                        ? ""
                                        : " Until " + until.replaceFirst("\\.\\d+Z$", "Z")
                                                + " it comes back with: coppice branches recover " + name));
            } else {
                session.output().tree(deleted.isMissingNode() ? found : deleted);
            }
            return 0;
        });
    }

    @Command(
            name = "set-default",
            description = "Make a branch the one that is meant when none is named. The former one can then be deleted.")
    int setDefault(@Parameters(paramLabel = "BRANCH", description = "Its name or id.") String branch) {
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch) + "/set_as_default";
            session.output().object(session.api().post(path, null).path("branch"), TableColumns.BRANCH);
            return 0;
        });
    }
}
