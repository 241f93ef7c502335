package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.coppice.server.Attack.Party;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A server with what attackers look for: originals, another project, a catalog, secrets; and the branches that they attack from. The test itself is root and
 * tells them every name, so nothing here rests on names that nobody knows.
 */
final class Cage implements AutoCloseable {
    /** In every row that nobody but the owner of {@code main} may see. */
    static final String ORIGINAL = "ZQX-ORIGINAL-7731";

    /** In a file of the server's user, in a directory of his. */
    static final String PRECIOUS = "ZQX-PRECIOUS-4412\n";

    /** For {@link #own}: what lies beside a timeline, under names that the server draws. */
    static final String LOG = "log:";

    static final String AGENT = "agent:";
    static final String SOCKET = "socket:";

    /** S_IFMT and S_IFSOCK of inode(7). */
    private static final int FORMAT = 0170000;

    private static final int SOCKET_FORMAT = 0140000;

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final ServerProcess server;
    private final @Nullable OtherUser user;
    private final boolean sandbox;
    private final Foothold main;
    private final Foothold otherProject;
    private final Foothold owner;
    private final Foothold anonymized;
    private final Foothold masked;
    private final String project;
    private int made;
    private @Nullable Foothold victim;
    private String victimName = "";

    private Cage(ServerProcess server, @Nullable OtherUser user, boolean sandbox) throws IOException, SQLException {
        this.server = server;
        this.user = user;
        this.sandbox = sandbox;
        this.project = new Api(server).get("/projects").text("/projects/0/id");
        this.main = new Foothold(uri("main"), this::promote);
        ownersAreSuperusers(project);
        main.sql(
                "CREATE TABLE person (id int PRIMARY KEY, name text)",
                "INSERT INTO person SELECT n, '" + ORIGINAL + " ' || n FROM generate_series(1, 1000) n",
                "CHECKPOINT");
        this.owner = branch("attacker");
        this.otherProject = otherProject();
        String password = role("analyst", "main");
        boolean masks = anonymize();
        this.anonymized = new Foothold(uri("anonymous"), this::promote);
        if (masks) {
            cli("masking", "role", "analyst", "--branch", "main", "--rules", "all", "--max-lag", "1h");
        }
        this.masked = new Foothold(main.uri().replaceFirst("//[^@]*@", "//analyst:" + password + "@"), _ -> {});
        // What the parent has that its children do not: later rows, archived WAL, a layer.
        main.sql("INSERT INTO person SELECT n, '" + ORIGINAL + " ' || repeat(md5(n::text), 30)"
                + " FROM generate_series(2000, 5000) n");
        for (int i = 0; i < 3; i++) {
            main.sql(
                    "INSERT INTO person SELECT max(id) + 1, '" + ORIGINAL + " later' FROM person",
                    "SELECT pg_switch_wal()",
                    "CHECKPOINT");
        }
        otherProject.sql("CREATE TABLE person AS SELECT '" + ORIGINAL + "' AS name", "CHECKPOINT");
        Path precious = Files.createDirectory(server.directory().resolve("precious"));
        Files.writeString(precious(), PRECIOUS);
        Files.setPosixFilePermissions(precious(), PosixFilePermissions.fromString("rw-------"));
        Files.setPosixFilePermissions(precious, PosixFilePermissions.fromString("rwx------"));
        if (user != null) {
            user.own(precious);
        }
        String timeline = timeline(main).getFileName().toString();
        until(() -> !files("timelines/" + timeline + "/layers/*", 1).isEmpty()
                && !files("timelines/" + timeline + "/**/*.zst", 1).isEmpty());
    }

    /**
     * Starts one.
     *
     * @param user whose server it is; null = of this process
     * @param configuration lines under {@code compute:}, indented by two, then further sections
     */
    static Cage start(String name, @Nullable OtherUser user, String... configuration) throws IOException, SQLException {
        List<String> lines = new ArrayList<>(List.of("  size_compute_units: 0.25"));
        lines.addAll(List.of(configuration));
        lines.addAll(List.of(
                "storage:",
                "  garbage_collection_interval_seconds: 1",
                "  compress_wal_after_seconds: 1",
                "  flush_journal_megabytes: 1",
                "disk:",
                "  max_branch_megabytes: 512"));
        String[] all = lines.toArray(String[]::new);
        ServerProcess server = user == null ? ServerProcess.start(name, all) : ServerProcess.startAs(user, name, all);
        try {
            return new Cage(server, user, !lines.contains("  isolation: off"));
        } catch (IOException | SQLException | RuntimeException | Error e) {
            server.close();
            throw e;
        }
    }

    /**
     * Makes the branch of that name an anonymized one.
     *
     * @return false when the server refuses that, having no sandbox: then it is an ordinary one
     */
    private boolean anonymize() throws IOException {
        Path rules = Files.writeString(
                server.directory().resolve("rules.yaml"),
                "rule_sets:\n  all:\n    databases:\n      coppice:\n        person:\n          name: blank()\n");
        cli("masking", "apply", "--rules", rules.toString());
        boolean masks = tryCli("branches", "create", "--name", "anonymous", "--anonymized", "--set", "all")
                        .exitCode()
                == 0;
        if (!masks) {
            assertThat(sandbox).as("only a server without a sandbox refuses").isFalse();
            cli("branches", "create", "--name", "anonymous");
        }
        return masks;
    }

    /** The attackers are superusers, wherever the server allows it. */
    private void ownersAreSuperusers(String project) throws IOException {
        Api.Answer answer = new Api(server)
                .patch("/projects/" + project, "{\"project\":{\"settings\":{\"owner_superuser\":true}}}");
        assertThat(answer.status()).as(answer.body().toString()).isBetween(200, 499);
    }

    /** By the administrator's own way in, as the server's user. */
    private void promote(Foothold of) throws SQLException {
        Path socket;
        try {
            socket = socket(of, ".s.PGSQL.5432");
        } catch (IOException e) {
            throw new IllegalStateException("cannot look for sockets", e);
        }
        List<String> command = new ArrayList<>(user == null ? List.of() : user.prefix());
        command.addAll(List.of(
                "psql",
                "-X",
                "-q",
                "-c",
                "ALTER ROLE coppice_owner SUPERUSER",
                "host=" + parent(socket) + " user=coppice_admin dbname=postgres"));
        Programs.run(command, "").text();
        of.disconnect();
        assertThat(of.sql("SHOW is_superuser")).isEqualTo("on");
    }

    /** Makes a role in a branch; its password. */
    String role(String name, String branch) throws IOException {
        return new Api(server)
                .post(
                        "/projects/" + project + "/branches/" + branchId(branch) + "/roles",
                        "{\"role\":{\"name\":\"" + name + "\"}}")
                .done()
                .text("/role/password");
    }

    private Foothold otherProject() throws IOException {
        Api.Answer created = new Api(server)
                .post("/projects", "{\"project\":{\"name\":\"other\"}}")
                .done();
        ownersAreSuperusers(created.text("/project/id"));
        return new Foothold(created.text("/connection_uris/0/connection_uri"), this::promote);
    }

    private String branchId(String name) throws IOException {
        for (var branch :
                new Api(server).get("/projects/" + project + "/branches").body().path("branches")) {
            if (branch.path("name").asString().equals(name)) {
                return branch.path("id").asString();
            }
        }
        throw new IllegalStateException("there is no branch " + name);
    }

    String cli(String... arguments) {
        return tryCli(arguments).text();
    }

    /** The command line in the first project; it may fail. */
    Programs.Result tryCli(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--project-id", project));
        return server.cli(all.toArray(String[]::new));
    }

    private String uri(String branch) {
        return cli("connection-string", branch);
    }

    /** An ordinary branch of main. */
    Foothold branch(String name) {
        cli("branches", "create", "--name", name);
        return existing(name);
    }

    /** A branch that is there. */
    Foothold existing(String name) {
        return new Foothold(uri(name), this::promote);
    }

    /** One with a name of its own, to be ruined. */
    String newName() {
        return "victim-" + ++made;
    }

    /** A branch to be ruined; the same one until it is abandoned. */
    Foothold victim() throws SQLException {
        Foothold from = victim;
        if (from == null) {
            victimName = newName();
            from = branch(victimName);
            victim = from;
            from.sql("CREATE TABLE t AS SELECT 1");
        }
        return from;
    }

    /** The name of the branch that {@link #victim} gave, which is the caller's now. */
    String abandonVictim() {
        victim = null;
        return victimName;
    }

    Foothold from(Party party) {
        return switch (party) {
            case OWNER -> owner;
            case ANONYMIZED -> anonymized;
            case MASKED_ROLE -> masked;
        };
    }

    /** The branch that everything is to be protected of, with its owner's connection. */
    Foothold main() {
        return main;
    }

    Foothold otherProjectsMain() {
        return otherProject;
    }

    ServerProcess server() {
        return server;
    }

    Path data() {
        return server.data();
    }

    Path precious() {
        return server.directory().resolve("precious").resolve("file");
    }

    boolean isPreciousUnchanged() throws IOException {
        return Files.readString(precious()).equals(PRECIOUS)
                && PosixFilePermissions.toString(Files.getPosixFilePermissions(precious()))
                        .equals("rw-------")
                && Files.getAttribute(precious(), "unix:uid").equals(serverUid());
    }

    void restorePrecious() throws IOException {
        Files.writeString(precious(), PRECIOUS);
        Files.setPosixFilePermissions(precious(), PosixFilePermissions.fromString("rw-------"));
        Files.setAttribute(precious(), "unix:uid", serverUid());
    }

    /** Until the server has looked for finished WAL twice since now: what was there then is done. */
    void awaitSweep() throws SQLException {
        for (int i = 0; i < 2; i++) {
            int before = compressed();
            main.sql(
                    "INSERT INTO person SELECT max(id) + 1, '" + ORIGINAL + " later' FROM person",
                    "SELECT pg_switch_wal()",
                    "CHECKPOINT");
            until(() -> compressed() > before);
        }
    }

    private int compressed() throws SQLException {
        try {
            return files("timelines/" + timeline(main).getFileName() + "/**/*.zst", 1000)
                    .size();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    int serverUid() {
        return user == null ? 0 : user.uid();
    }

    /** {@code timelines/<id>} of a branch that runs. */
    Path timeline(Foothold of) throws SQLException {
        return parent(parent(of.dataDirectory()));
    }

    /**
     * A file of a branch that runs.
     *
     * @param path below its timeline, or one of the constants above; an asterisk stands for what the first of such a name has there
     */
    Path own(Foothold of, String path) throws SQLException, IOException {
        return switch (path) {
            case LOG -> data().resolve("logs").resolve(of.endpoint() + ".log");
            case AGENT -> socket(of, ".agent");
            case SOCKET -> socket(of, ".s.PGSQL.5432");
            default -> first(timeline(of).resolve(path));
        };
    }

    private Path socket(Foothold of, String end) throws IOException {
        return Path.of(sockets().stream()
                .filter(each -> each.contains("/" + of.endpoint() + "/") && each.endsWith(end))
                .findFirst()
                .orElseThrow());
    }

    private static Path first(Path path) throws IOException {
        if (path.toString().indexOf('*') < 0) {
            return path;
        }
        String name = path.getFileName().toString();
        try (var found = Files.newDirectoryStream(parent(path), name)) {
            return java.util.stream.StreamSupport.stream(found.spliterator(), false)
                    .min(Path::compareTo)
                    .orElseThrow(() -> new IllegalStateException("there is no " + path));
        }
    }

    static Path parent(Path path) {
        return Objects.requireNonNull(path.getParent());
    }

    /** The process id of a running compute's first process, as the host sees it. */
    static long postmaster(Foothold of) throws SQLException, IOException {
        try (Stream<String> lines = Files.lines(of.dataDirectory().resolve("postmaster.pid"))) {
            return Long.parseLong(lines.findFirst().orElseThrow());
        }
    }

    long catalogPostmaster() throws IOException {
        try (Stream<String> lines = Files.lines(data().resolve("catalog").resolve("postmaster.pid"))) {
            return Long.parseLong(lines.findFirst().orElseThrow());
        }
    }

    /** Regular files below the data directory by a pattern of {@link java.nio.file.FileSystem#getPathMatcher}, at most some. */
    List<Path> files(String glob, int most) throws IOException {
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + data() + "/" + glob);
        List<Path> found = new ArrayList<>();
        try (Stream<Path> files = walk(data())) {
            files.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && matcher.matches(file))
                    .limit(most)
                    .forEach(found::add);
        }
        return found;
    }

    /** All below a directory; what goes meanwhile is left out. */
    static Stream<Path> walk(Path directory) throws IOException {
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(directory, new java.nio.file.SimpleFileVisitor<>() {
            @Override
            public java.nio.file.FileVisitResult preVisitDirectory(
                    Path at, java.nio.file.attribute.BasicFileAttributes attributes) {
                found.add(at);
                return java.nio.file.FileVisitResult.CONTINUE;
            }

            @Override
            public java.nio.file.FileVisitResult visitFile(
                    Path at, java.nio.file.attribute.BasicFileAttributes attributes) {
                found.add(at);
                return java.nio.file.FileVisitResult.CONTINUE;
            }

            @Override
            public java.nio.file.FileVisitResult visitFileFailed(Path at, IOException e) {
                return java.nio.file.FileVisitResult.CONTINUE;
            }

            @Override
            public java.nio.file.FileVisitResult postVisitDirectory(Path at, @Nullable IOException e) {
                return java.nio.file.FileVisitResult.CONTINUE;
            }
        });
        return found.stream();
    }

    /** Sockets below the data directory. */
    Set<String> sockets() throws IOException {
        Set<String> found = new TreeSet<>();
        try (Stream<Path> files = walk(data().resolve("run"))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (isSocket(file)) {
                    found.add(file.toString());
                }
            }
        }
        return found;
    }

    private static boolean isSocket(Path file) throws IOException {
        try {
            return ((int) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS) & FORMAT) == SOCKET_FORMAT;
        } catch (java.nio.file.NoSuchFileException e) {
            // It went meanwhile.
            return false;
        }
    }

    void suspend(String branch) {
        cli("computes", "suspend", branch);
    }

    /** Whether everybody else goes on: the owner of main reads his rows, another branch can be woken, the API answers. */
    void assertOthersGoOn() throws SQLException {
        assertThat(main.sql("SELECT count(*) > 999 FROM person")).isEqualTo("t");
        assertThat(otherProject.sql("SELECT name FROM person")).isEqualTo(ORIGINAL);
        assertThat(cli("branches", "list")).contains("main");
    }

    /** Until something is so, or a minute has gone. */
    static void until(java.util.concurrent.Callable<Boolean> condition) {
        await().atMost(PATIENCE).until(condition);
    }

    @Override
    public void close() throws IOException {
        for (Foothold each : List.of(owner, anonymized, masked, main, otherProject)) {
            each.close();
        }
        server.close();
    }
}
