package dev.coppice.cli.command.snapshot;

import static dev.coppice.cli.api.ApiClient.encode;
import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.BranchAt;
import dev.coppice.cli.command.PointInTime;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Output.Column;
import dev.coppice.cli.output.TableColumns;
import dev.coppice.cli.output.Times;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "snapshots",
        aliases = "snapshot",
        description = "Take, list, rename, restore, schedule and delete snapshots of branches.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice snapshots create main --name before-migration",
            "  coppice snapshots restore before-migration --name look",
            "  coppice snapshots finalize look",
            "  coppice snapshots schedule main --daily 3 --retention 7d"
        })
public final class SnapshotsCommand {
    private static final List<Column> COLUMNS = List.of(
            Column.of("NAME", "name"),
            Column.of("ID", "id"),
            Column.of("BRANCH", "source_branch_id"),
            Column.of("LSN", "lsn"),
            Column.time("CREATED", "created_at"),
            Column.time("EXPIRES", "expires_at"));

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "list", description = "List the project's snapshots.")
    int list() {
        return withSession(spec, session -> {
            session.output().list(snapshots(session, session.projectPath()), "There is no snapshot.", COLUMNS);
            return 0;
        });
    }

    private static JsonNode snapshots(Session session, String project) {
        return session.api().get(project + "/snapshots").path("snapshots");
    }

    @Command(name = "create", description = "Take a snapshot of a branch, now or at a past moment.")
    int create(
            @Parameters(
                            arity = "0..1",
                            paramLabel = "BRANCH",
                            description = "The branch, by name or id, perhaps with @ and an LSN or a time. Default: the"
                                    + " default branch.")
                    @Nullable
                    String branch,
            @Option(names = "--name", paramLabel = "NAME", description = "Its name.") @Nullable String name,
            @Option(
                            names = "--expires-at",
                            paramLabel = "TIME",
                            description =
                                    "When it is deleted by itself: 7d, or a time like 2026-11-21T09:30:00Z. Default: never.")
                    @Nullable
                    String expiresAt) {
        BranchAt from = BranchAt.parse(branch);
        return withSession(spec, session -> {
            String project = session.projectPath();
            StringBuilder path = new StringBuilder(session.branchPath(project, from.branch())).append("/snapshot?");
            PointInTime moment = from.moment();
            if (moment != null) {
                path.append(moment.kind())
                        .append('=')
                        .append(encode(moment.text()))
                        .append('&');
            }
            if (name != null) {
                path.append("name=").append(encode(name)).append('&');
            }
            if (expiresAt != null) {
                path.append("expires_at=").append(encode(Times.ahead(expiresAt, "--expires-at", Instant.now())));
            }
            JsonNode taken = session.finished(session.api().post(path.toString(), null));
            session.output().object(taken.path("snapshot"), COLUMNS);
            return 0;
        });
    }

    @Command(name = "update", description = "Rename a snapshot.")
    int update(
            @Parameters(paramLabel = "SNAPSHOT", description = "Its name or id.") String snapshot,
            @Option(names = "--name", required = true, paramLabel = "NAME", description = "Its new name.")
                    String name) {
        return withSession(spec, session -> {
            ObjectNode body = JsonMapper.shared().createObjectNode();
            body.putObject("snapshot").put("name", name);
            session.output()
                    .object(session.api().patch(path(session, snapshot), body).path("snapshot"), COLUMNS);
            return 0;
        });
    }

    @Command(name = "delete", description = "Delete a snapshot; branches made from it stay.")
    int delete(@Parameters(paramLabel = "SNAPSHOT", description = "Its name or id.") String snapshot) {
        return withSession(spec, session -> {
            JsonNode deleted = session.api().delete(path(session, snapshot));
            if (session.output().isTable()) {
                session.output().line("Snapshot " + snapshot + " is deleted.");
            } else {
                session.output().tree(deleted);
            }
            return 0;
        });
    }

    @Command(
            name = "restore",
            description =
                    "Make a branch from a snapshot, to be looked at; with --finalize it takes the original's place at"
                            + " once.")
    int restore(
            @Parameters(paramLabel = "SNAPSHOT", description = "Its name or id.") String snapshot,
            @Option(names = "--name", paramLabel = "NAME", description = "The new branch's name.") @Nullable
                    String name,
            @Option(
                            names = "--target-branch",
                            paramLabel = "BRANCH",
                            description = "The branch to replace. Default: the one that the snapshot was taken of.")
                    @Nullable
                    String target,
            @Option(names = "--finalize", description = "Let it take the other one's name and address now.")
                    boolean finalizeNow) {
        return withSession(spec, session -> {
            ObjectNode body = JsonMapper.shared().createObjectNode().put("finalize_restore", finalizeNow);
            if (name != null) {
                body.put("name", name);
            }
            if (target != null) {
                body.put(
                        "target_branch_id",
                        session.branch(session.projectPath(), target).path("id").asString(""));
            }
            JsonNode restored = session.finished(session.api().post(path(session, snapshot) + "/restore", body));
            session.output().object(restored.path("branch"), TableColumns.BRANCH);
            return 0;
        });
    }

    @Command(
            name = "finalize",
            description = "Let a branch that was made from a snapshot take the original's name, address and passwords.")
    int finish(
            @Parameters(paramLabel = "BRANCH", description = "The restored branch, by name or id.") String branch,
            @Option(names = "--old-name", paramLabel = "NAME", description = "The replaced branch's new name.")
                    @Nullable
                    String oldName) {
        return withSession(spec, session -> {
            ObjectNode body = JsonMapper.shared().createObjectNode();
            if (oldName != null) {
                body.put("name", oldName);
            }
            String path = session.branchPath(session.projectPath(), branch);
            session.finished(session.api().post(path + "/finalize_restore", body));
            session.output().object(session.api().get(path).path("branch"), TableColumns.BRANCH);
            return 0;
        });
    }

    @Command(name = "schedule", description = "Show or set when snapshots of a branch are taken. Times are UTC.")
    int schedule(
            @Parameters(arity = "0..1", paramLabel = "BRANCH", description = "Default: the default branch.") @Nullable
                    String branch,
            @Option(names = "--hourly", description = "Every hour.") boolean hourly,
            @Option(names = "--daily", paramLabel = "HOUR", description = "Every day at this hour.") @Nullable
                    Integer daily,
            @Option(
                            names = "--weekly",
                            paramLabel = "DAY",
                            description = "Every week on this day, 1 = Monday, at 0:00.")
                    @Nullable
                    Integer weekly,
            @Option(names = "--monthly", paramLabel = "DAY", description = "Every month on this day at 0:00.") @Nullable
                    Integer monthly,
            @Option(
                            names = "--retention",
                            paramLabel = "DURATION",
                            description = "How long such a snapshot is kept, at least 1h: " + Times.DURATION
                                    + ". Default: for ever.")
                    @Nullable
                    String retention,
            @Option(names = "--none", description = "Take none any more.") boolean none) {
        ArrayNode items = JsonMapper.shared().createArrayNode();
        if (hourly) {
            items.addObject().put("frequency", "hourly");
        }
        add(items, "daily", "hour", daily);
        add(items, "weekly", "day", weekly);
        add(items, "monthly", "day", monthly);
        if (retention != null) {
            items.forEach(
                    item -> ((ObjectNode) item).put("retention_seconds", Times.seconds(retention, "--retention")));
        }
        return withSession(spec, session -> {
            String path = session.branchPath(session.projectPath(), branch) + "/backup_schedule";
            if (none || !items.isEmpty()) {
                ObjectNode body = JsonMapper.shared().createObjectNode();
                body.set("schedule", items);
                session.api().put(path, body);
            }
            session.output()
                    .list(
                            session.api().get(path).path("schedule"),
                            "No snapshot is taken by schedule.",
                            List.of("frequency", "hour", "day", "month", "retention_seconds").stream()
                                    .map(field -> Column.of(
                                            field.toUpperCase(Locale.ROOT).replace('_', ' '), field))
                                    .toList());
            return 0;
        });
    }

    private static void add(ArrayNode items, String frequency, String field, @Nullable Integer value) {
        if (value != null) {
            items.addObject().put("frequency", frequency).put(field, value);
        }
    }

    /** The API path of the snapshot with this id or name. */
    private static String path(Session session, String idOrName) {
        String project = session.projectPath();
        JsonNode found = null;
        int named = 0;
        for (JsonNode snapshot : snapshots(session, project)) {
            if (snapshot.path("id").asString("").equals(idOrName)) {
                return project + "/snapshots/" + encode(idOrName);
            }
            if (snapshot.path("name").asString("").equals(idOrName)) {
                found = snapshot;
                named++;
            }
        }
        if (found == null || named > 1) {
            throw new CliException(
                    CliException.REFUSED,
                    found == null
                            ? "there is no snapshot \"" + idOrName + "\""
                            : named + " snapshots have the name \"" + idOrName + "\"; name one by its id",
                    "coppice snapshots list");
        }
        return project + "/snapshots/" + encode(found.path("id").asString(""));
    }
}
