package dev.coppice.cli.command.storage;

import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.ApiClient;
import dev.coppice.cli.output.Bytes;
import dev.coppice.cli.output.CliException;
import dev.coppice.cli.output.Output;
import dev.coppice.cli.output.Output.Column;
import dev.coppice.cli.output.ProgressBar;
import java.util.List;
import java.util.regex.Pattern;
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
        name = "storage",
        description = "For operators: check the storage, look at the versions of a page, and see what takes space.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice storage verify",
            "  coppice storage page main public.orders 0",
            "  coppice storage page dev-alice base/16384/16385 17 --lsn 0/16B3748",
            "  coppice storage stats -o json",
            "",
            "verify exits with 1 when it finds something."
        })
public final class StorageCommand {
    /** Everything was read, and something in it is wrong. */
    private static final int FOUND = 1;

    private static final Pattern LSN = Pattern.compile("[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(
            name = "verify",
            description =
                    "Read everything that is stored and check it: every checksum, manifest, ancestor, and record of the"
                            + " WAL. Changes nothing; computes may run.")
    int verify(
            @Parameters(
                            arity = "0..1",
                            paramLabel = "BRANCH",
                            description = "A branch, with what it inherits. Default: everything on this server.")
                    @Nullable
                    String branch) {
        return withSession(spec, session -> {
            String path = branch == null
                    ? "/storage/verify"
                    : "/storage" + session.branchPath(session.projectPath(), branch) + "/verify";
            ArrayNode findings = JsonMapper.shared().createArrayNode();
            ObjectNode answer = JsonMapper.shared().createObjectNode();
            try (ProgressBar bar = new ProgressBar(
                    spec.commandLine().getErr(), session.output().isTable())) {
                session.api().lines(path, line -> {
                    if (line.has("progress")) {
                        bar.show(step(line.path("progress")), done(line.path("progress")));
                    } else if (line.has("finding")) {
                        findings.add(line.path("finding"));
                    } else if (line.has("result")) {
                        answer.set("result", line.path("result"));
                    } else if (line.has("error")) {
                        throw new CliException(
                                CliException.REFUSED,
                                line.path("error").path("message").asString(""),
                                null);
                    }
                });
            }
            if (!answer.has("result")) {
                throw new CliException(
                        CliException.REFUSED, "the server stopped before the check was finished", "see its log");
            }
            answer.set("findings", findings);
            print(session.output(), answer, findings);
            return findings.isEmpty() ? 0 : FOUND;
        });
    }

    private static void print(Output output, JsonNode answer, JsonNode findings) {
        if (!output.isTable()) {
            output.tree(answer);
            return;
        }
        JsonNode result = answer.path("result");
        output.line("Checked " + result.path("timelines").asLong() + " timelines: "
                + result.path("journal_entries").asLong() + " journal entries ("
                + Bytes.text(result.path("journal_bytes").asLong()) + "), "
                + result.path("layers").asLong() + " layers ("
                + Bytes.text(result.path("layer_bytes").asLong()) + "), "
                + result.path("wal_records").asLong() + " WAL records ("
                + Bytes.text(result.path("wal_bytes").asLong()) + ").");
        if (findings.isEmpty()) {
            output.line("All is well.");
            return;
        }
        output.line(findings.size() + (findings.size() == 1 ? " finding:" : " findings:"));
        for (JsonNode finding : findings) {
            String branch = finding.path("branch").asString("");
            output.line("");
            output.line(finding.path("severity").asString("") + ": "
                    + (branch.isEmpty() ? "" : "branch " + branch + ", ") + "timeline "
                    + finding.path("timeline_id").asString("") + ", "
                    + finding.path("file").asString(""));
            output.line("  " + finding.path("what").asString(""));
            output.line("  " + finding.path("advice").asString(""));
        }
    }

    private static String step(JsonNode progress) {
        String branch = progress.path("branch").asString("");
        return progress.path("timeline").asInt() + "/"
                + progress.path("timelines").asInt() + " "
                + (branch.isEmpty() ? progress.path("timeline_id").asString("") : branch) + ", "
                + progress.path("step").asString("");
    }

    private static double done(JsonNode progress) {
        double total = progress.path("total").asLong();
        return total <= 0 ? 1 : progress.path("done").asLong() / total;
    }

    @Command(
            name = "page",
            description =
                    "Show what is stored of one block: its versions in the branch and its ancestors, newest first; the"
                            + " one that is served is marked with *. A relation's name is looked up as of now, on the branch's"
                            + " compute.")
    int page(
            @Parameters(index = "0", paramLabel = "BRANCH", description = "The branch, by name or id.") String branch,
            @Parameters(
                            index = "1",
                            paramLabel = "RELATION",
                            description = "A table or index (public.orders), or a file (base/16384/16385).")
                    String relation,
            @Parameters(index = "2", paramLabel = "BLOCK", description = "The block's number, from 0.") long block,
            @Option(
                            names = "--lsn",
                            paramLabel = "LSN",
                            description = "Mark what is served at this LSN. Default: at the head.")
                    @Nullable
                    String lsn,
            @Option(
                            names = "--database",
                            paramLabel = "NAME",
                            description = "Where RELATION is. Default: the branch's first database.")
                    @Nullable
                    String database,
            @Option(
                            names = "--fork",
                            paramLabel = "FORK",
                            defaultValue = "main",
                            description = "main, fsm, vm or init. Default: main.")
                    String fork) {
        if (lsn != null && !LSN.matcher(lsn).matches()) {
            throw new CliException(CliException.USAGE, "--lsn: not an LSN: " + lsn, "one looks like 0/16B3748");
        }
        return withSession(spec, session -> {
            StringBuilder path = new StringBuilder("/storage")
                    .append(session.branchPath(session.projectPath(), branch))
                    .append("/page?relation=")
                    .append(ApiClient.encode(relation))
                    .append("&block=")
                    .append(block)
                    .append("&fork=")
                    .append(ApiClient.encode(fork));
            if (lsn != null) {
                path.append("&lsn=").append(ApiClient.encode(lsn));
            }
            if (database != null) {
                path.append("&database=").append(ApiClient.encode(database));
            }
            JsonNode page = session.api().get(path.toString());
            if (!session.output().isTable()) {
                session.output().tree(page);
                return 0;
            }
            session.output()
                    .line("Block " + page.path("block").asLong() + " of "
                            + page.path("path").asString("") + ":");
            session.output()
                    .list(
                            page.path("versions"),
                            "Nothing is stored of it: it reads as zero, or the file is not there.",
                            List.of(
                                    new Column(
                                            "STAMP",
                                            row -> row.path("stamp").asString("")
                                                    + (row.path("served").asBoolean(false) ? " *" : "")),
                                    Column.of("KIND", "kind"),
                                    new Column(
                                            "BRANCH",
                                            row -> row.path("branch")
                                                    .asString(row.path("timeline_id")
                                                            .asString(""))),
                                    Column.of("WHERE", "where")));
            return 0;
        });
    }

    @Command(
            name = "stats",
            description =
                    "Show what each branch takes: its logical size, its own bytes and how far back its history reaches.")
    int stats() {
        return withSession(spec, session -> {
            JsonNode stats = session.api().get("/storage" + session.projectPath() + "/stats");
            if (!session.output().isTable()) {
                session.output().tree(stats);
                return 0;
            }
            JsonNode project = stats.path("projects").path(0);
            session.output()
                    .list(
                            project.path("branches"),
                            "There is no branch.",
                            List.of(
                                    Column.of("BRANCH", "name"),
                                    bytes("LOGICAL", "logical_size"),
                                    bytes("OWN", "own_bytes"),
                                    bytes("SHARED", "shared_bytes"),
                                    bytes("LAYERS", "layer_bytes"),
                                    bytes("JOURNAL", "journal_bytes"),
                                    bytes("WAL", "wal_bytes"),
                                    bytes("WAL ARCHIVE", "wal_archive_bytes"),
                                    bytes("CACHE", "local_cache_bytes"),
                                    Column.of("HISTORY FROM", "horizon_lsn"),
                                    Column.of("SINCE", "horizon_time"),
                                    new Column(
                                            "LAYERS/READ",
                                            row -> row.path("read_amplification")
                                                    .asString("")),
                                    new Column("WRITES WAIT", StorageCommand::writesWait)));
            session.output()
                    .line("Own bytes of all branches: "
                            + Bytes.text(project.path("own_bytes").asLong()) + ", and "
                            + Bytes.text(project.path("local_cache_bytes").asLong())
                            + " of local files that are a cache.");
            return 0;
        });
    }

    /** Of a page; a compute that writes faster than is flushed is slowed down. */
    private static String writesWait(JsonNode branch) {
        long microseconds = branch.path("write_delay_microseconds").asLong();
        return microseconds == 0 ? "" : microseconds / 1_000.0 + " ms";
    }

    private static Column bytes(String header, String field) {
        return new Column(header, row -> Bytes.text(row.path(field).asLong()));
    }
}
