package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.server.Api.Answer;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * kill -9 of the server in the middle of requests of every kind, several at once: each held between two of its durable steps,
 * or at any moment. After the restart each was done or undone, nothing belongs to nobody, and everything can be used.
 *
 * <p>Longer: {@code -Dcoppice.operations.rounds=20}; each round has every kind at another step.
 */
class OperationCrashIT {
    private static final int ROUNDS = Integer.getInteger("coppice.operations.rounds", 1);

    private static final int AT_ONCE = 6;

    private static final long HELD_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(20);

    /** A request that waits for a lock that a held one has. */
    private static final long WAITING_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final int RANDOM_KILL_MAX_MILLIS = 400;

    private final Random random = new Random(seed());
    private final List<Kind> kinds = new ArrayList<>();

    /** The branches that operations were under way with, and that must be usable if they are there. */
    private final Set<String> touched = new TreeSet<>();

    private ServerProcess server;
    private Api api;
    private LeftOvers leftOvers;
    private String project;
    private String main;
    private String past;
    private String guarded;
    private String snapshot;
    private int names;

    private static long seed() {
        long seed = Long.getLong("coppice.seed", 20_261_121L);
        System.out.println("OperationCrashIT: -Dcoppice.seed=" + seed);
        return seed;
    }

    /** A request of the API. */
    private interface Request {
        Answer send() throws IOException;
    }

    /** Makes what a request needs, before anything is killed. */
    private interface Preparation {
        Request prepare() throws IOException;
    }

    /** What an operation does to the family of branches as a whole; decides what can be held at once. */
    private enum Family {
        /** Nothing. */
        APART,
        /** It needs the others to stay. */
        MEMBER,
        /** It lets members wait, or waits for them. */
        ALONE
    }

    /**
     * A kind of operation.
     *
     * @param steps about how many durable steps it has
     */
    private record Kind(String name, int steps, Family family, Preparation preparation) {}

    @BeforeEach
    void open() throws IOException {
        server = ServerProcess.startHeld(
                "opc",
                "recovery:",
                "  branch_seconds: 600",
                "  project_seconds: 600",
                "catalog:",
                "  shared_buffers_megabytes: 16");
        api = new Api(server);
        leftOvers = new LeftOvers(server);
        project = "/projects/" + api.get("/projects").text("/projects/0/id");
        main = api.get(project + "/branches").text("/branches/0/id");
        Programs.psql(server.uri("main"), "create table t as select 1 as n, 'x@y.example' as mail")
                .text();
        past = Programs.psql(server.uri("main"), "select pg_current_wal_insert_lsn()")
                .text();
        Programs.psql(server.uri("main"), "insert into t values (2, 'y@y.example')")
                .text();
        guarded = branch();
        api.patch(project + "/branches/" + guarded, "{\"branch\":{\"protected\":true}}")
                .done();
        snapshot = api.post(project + "/branches/" + main + "/snapshot?name=s", "")
                .done()
                .text("/snapshot/id");
        declare();
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    @Test
    void whatever_a_kill_interrupts_is_done_or_undone_and_nothing_is_left_over() throws Exception {
        int held = 0;
        for (int round = 0; round < ROUNDS; round++) {
            List<Kind> order = new ArrayList<>(kinds);
            Collections.shuffle(order, random);
            for (List<Kind> group : groups(order)) {
                held += killAtSteps(group);
            }
            Collections.shuffle(order, random);
            killAtAnyMoment(order.subList(0, AT_ONCE));
        }
        assertThat(held).as("operations held when the server was killed").isGreaterThan(ROUNDS * kinds.size() / 2);
        StorageChecks.assertClean(server, "kills in the middle of operations");
        removeEverything();
    }

    /** Kinds that can be under way at once. */
    private static List<List<Kind>> groups(List<Kind> order) {
        List<List<Kind>> groups = new ArrayList<>();
        for (Kind alone : of(Family.ALONE, order)) {
            groups.add(new ArrayList<>(List.of(alone)));
        }
        List<Kind> apart = of(Family.APART, order);
        for (int i = 0; i < apart.size(); i++) {
            groups.get(i % groups.size()).add(apart.get(i));
        }
        List<Kind> members = of(Family.MEMBER, order);
        for (int i = 0; i < members.size(); i += AT_ONCE) {
            groups.add(members.subList(i, Math.min(i + AT_ONCE, members.size())));
        }
        return groups;
    }

    private static List<Kind> of(Family family, List<Kind> kinds) {
        return kinds.stream().filter(kind -> kind.family() == family).toList();
    }

    /** Returns how many were held. */
    private int killAtSteps(List<Kind> group) throws Exception {
        List<Request> requests = prepared(group);
        StringBuilder what = new StringBuilder();
        int held;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> begun = new ArrayList<>();
            for (int i = 0; i < group.size(); i++) {
                int step = 1 + random.nextInt(group.get(i).steps());
                what.append(group.get(i).name())
                        .append(" at step ")
                        .append(step)
                        .append("; ");
                server.hold(step);
                long before = server.held();
                Request request = requests.get(i);
                Future<Integer> future = threads.submit(() -> status(request));
                begun.add(future);
                long deadline = System.nanoTime() + (before == 0 ? HELD_LIMIT_NANOS : WAITING_LIMIT_NANOS);
                while (!future.isDone() && server.held() == before && System.nanoTime() < deadline) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
                }
            }
            held = (int) server.held();
            server.kill();
            what.append("held ").append(held).append(", statuses");
            for (Future<Integer> one : begun) {
                what.append(' ').append(one.get());
            }
        }
        checkAfter(what.toString());
        return held;
    }

    private void killAtAnyMoment(List<Kind> group) throws Exception {
        List<Request> requests = prepared(group);
        int millis = random.nextInt(RANDOM_KILL_MAX_MILLIS);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            requests.forEach(request -> threads.execute(() -> status(request)));
            TimeUnit.MILLISECONDS.sleep(millis);
            server.kill();
        }
        checkAfter(group.stream().map(Kind::name).toList() + " killed after " + millis + " ms");
    }

    private static List<Request> prepared(List<Kind> group) throws IOException {
        List<Request> requests = new ArrayList<>();
        for (Kind kind : group) {
            requests.add(kind.preparation().prepare());
        }
        return requests;
    }

    /** The answer's status; 0 when the server was killed before there was one. */
    private static int status(Request request) {
        try {
            Answer answer = request.send();
            assertThat(answer.status()).as(answer.body().toString()).isIn(200, 201, 202, 422, 423);
            return answer.status();
        } catch (IOException e) {
            return 0;
        }
    }

    private void checkAfter(String what) throws IOException {
        server.restart();
        leftOvers.assertNoneAfterStart(what);
        for (String id : touched) {
            if (api.get(branchPath(id)).status() == 200) {
                assertUsable(id, what);
                api.post(endpoint(id) + "/suspend", "").done();
            }
        }
        touched.clear();
        assertUsable(main, what);
    }

    /** Roles and databases are those that Postgres has, and each role whose password is stored can log in. */
    private void assertUsable(String branch, String what) throws IOException {
        String base = project + "/branches/" + branch;
        if (api.get(base + "/endpoints").body().at("/endpoints").isEmpty()) {
            api.post(
                            project + "/endpoints",
                            "{\"endpoint\":{\"branch_id\":\"" + branch + "\",\"type\":\"read_write\"}}")
                    .done();
        }
        String uri = uri(branch, "coppice_owner", "coppice");
        List<String> found = Programs.psql(uri, """
                        select string_agg(datname, ',' order by datname) from pg_database
                          where not datistemplate and datname <> 'postgres';
                        select string_agg(rolname, ',' order by rolname) from pg_roles
                          where rolname !~ '^(pg_|coppice_admin$)'""").text().lines().toList();
        assertThat(names(base, "databases"))
                .as("databases of %s after %s", branch, what)
                .isEqualTo(found.getFirst());
        assertThat(names(base, "roles"))
                .as("roles of %s after %s", branch, what)
                .isEqualTo(found.getLast());
        if (found.getLast().contains("app")) {
            Answer password = api.get(base + "/roles/app/reveal_password");
            if (password.status() == 200) {
                assertThat(Programs.psql(uri(branch, "app", "coppice"), "select current_user")
                                .text())
                        .as(what)
                        .isEqualTo("app");
            } else {
                // The role was given a password that nobody was told.
                assertThat(password.text("/message")).as(what).contains("reset it");
            }
        }
    }

    private String names(String base, String what) throws IOException {
        Set<String> names = new TreeSet<>();
        api.get(base + "/" + what)
                .done()
                .body()
                .path(what)
                .forEach(one -> names.add(one.path("name").asString()));
        return String.join(",", names);
    }

    private String uri(String branch, String role, String database) throws IOException {
        return api.get(project + "/connection_uri?branch_id=" + branch + "&role_name=" + role + "&database_name="
                        + database)
                .done()
                .text("/uri");
    }

    private void removeEverything() throws IOException {
        for (String id : leftOvers.catalog("select id from branches where is_protected")) {
            api.patch(branchPath(id), "{\"branch\":{\"protected\":false}}").done();
        }
        for (var other : api.get("/projects").body().path("projects")) {
            String id = "/projects/" + other.path("id").asString();
            api.delete(id + "?hard_delete=true").done();
        }
        leftOvers.assertNone("the end");
        // What was deleted before can still be recovered.
        assertThat(leftOvers.catalog("select id from branches where state <> 'deleted'"))
                .isEmpty();
    }

    private void declare() {
        branches();
        restores();
        snapshots();
        endpoints();
        rolesAndDatabases();
        projects();
    }

    private void branches() {
        member("branch", 3, () -> create(main, ""));
        member("branch at an LSN", 5, () -> create(main, ",\"parent_lsn\":\"" + past + "\""));
        member("child of a protected branch", 5, () -> create(guarded, ""));
        member("schema-only branch", 7, () -> create(main, ",\"init_source\":\"schema-only\""));
        member(
                "anonymized branch",
                8,
                () -> () -> api.post(project + "/branch_anonymized", """
                {"branch_create":{"branch":{"name":"%s","parent_id":"%s"}},
                 "masking_rules":[{"database_name":"coppice","schema_name":"public","table_name":"t",
                 "column_name":"mail","masking_function":"pseudonym_email()"}]}""".formatted(fresh(), main)));
        apart("rename", 2, withBranch(id -> api.patch(branchPath(id), "{\"branch\":{\"name\":\"" + fresh() + "\"}}")));
        apart("protection", 2, withBranch(id -> api.patch(branchPath(id), "{\"branch\":{\"protected\":true}}")));
        apart(
                "expiry",
                2,
                withBranch(id -> api.patch(
                        branchPath(id),
                        "{\"branch\":{\"expires_at\":\"" + Instant.now().plus(3, ChronoUnit.DAYS) + "\"}}")));
        alone("deletion", 4, withBranch(id -> api.delete(branchPath(id))));
        alone("deletion for good", 6, withBranch(id -> api.delete(branchPath(id) + "?hard_delete=true")));
        member("recovery", 2, () -> {
            String id = branch();
            api.delete(branchPath(id)).done();
            return () -> api.post(branchPath(id) + "/recover", "");
        });
        alone("default branch", 2, withBranch(id -> api.post(branchPath(id) + "/set_as_default", "")));
    }

    private void restores() {
        member(
                "reset",
                5,
                withBranch(id -> api.post(branchPath(id) + "/restore", "{\"source_branch_id\":\"" + main + "\"}")));
        member("restore from the past", 6, () -> {
            String id = branch();
            String lsn = Programs.psql(
                            uri(id, "coppice_owner", "coppice"),
                            "create table later (n int); select pg_current_wal_insert_lsn()")
                    .text();
            return () -> api.post(
                    branchPath(id) + "/restore",
                    "{\"source_branch_id\":\"%s\",\"source_lsn\":\"%s\",\"preserve_under_name\":\"%s\"}"
                            .formatted(id, lsn, fresh()));
        });
    }

    private void snapshots() {
        member("snapshot", 4, () -> () -> api.post(project + "/branches/" + main + "/snapshot", ""));
        member(
                "snapshot restore",
                6,
                () -> () ->
                        api.post(project + "/snapshots/" + snapshot + "/restore", "{\"name\":\"" + fresh() + "\"}"));
        member("finalization", 5, () -> {
            String target = branch();
            String id = api.post(
                            project + "/snapshots/" + snapshot + "/restore",
                            "{\"name\":\"" + fresh() + "\",\"target_branch_id\":\"" + target + "\"}")
                    .done()
                    .text("/branch/id");
            touched.add(id);
            return () -> api.post(branchPath(id) + "/finalize_restore", "{\"name\":\"" + fresh() + "\"}");
        });
        member("snapshot deletion", 4, () -> {
            String id = api.post(branchPath(main) + "/snapshot", "").done().text("/snapshot/id");
            return () -> api.delete(project + "/snapshots/" + id);
        });
    }

    private void endpoints() {
        apart("endpoint", 2, () -> {
            String id = branch();
            api.delete(endpoint(id)).done();
            return () -> api.post(
                    project + "/endpoints", "{\"endpoint\":{\"branch_id\":\"" + id + "\",\"type\":\"read_write\"}}");
        });
        apart("endpoint deletion", 2, withEndpoint(true, api::delete));
        apart("start", 2, withEndpoint(false, endpoint -> api.post(endpoint + "/start", "")));
        apart("suspend", 2, withEndpoint(true, endpoint -> api.post(endpoint + "/suspend", "")));
        apart("restart", 2, withEndpoint(true, endpoint -> api.post(endpoint + "/restart", "")));
        apart(
                "parameters",
                3,
                withEndpoint(
                        true,
                        endpoint -> api.patch(
                                endpoint, "{\"endpoint\":{\"settings\":{\"pg_settings\":{\"work_mem\":\"5MB\"}}}}")));
        apart("parameters that Postgres refuses", 4, () -> {
            String path = endpoint(branch());
            return () -> api.patch(path, "{\"endpoint\":{\"settings\":{\"pg_settings\":{\"work_mem\":\"lots\"}}}}");
        });
    }

    private void rolesAndDatabases() {
        apart("role", 2, withBranch(id -> api.post(branchPath(id) + "/roles", "{\"role\":{\"name\":\"app\"}}")));
        apart("password", 2, () -> {
            String id = withRole();
            return () -> api.post(branchPath(id) + "/roles/app/reset_password", "");
        });
        apart("role deletion", 3, () -> {
            String id = withRole();
            return () -> api.delete(branchPath(id) + "/roles/app");
        });
        apart(
                "database",
                2,
                withBranch(id -> api.post(
                        branchPath(id) + "/databases",
                        "{\"database\":{\"name\":\"more\",\"owner_name\":\"coppice_owner\"}}")));
        apart("database rename", 3, () -> {
            String id = withDatabase();
            return () -> api.patch(branchPath(id) + "/databases/more", "{\"database\":{\"name\":\"other\"}}");
        });
        apart("database deletion", 3, () -> {
            String id = withDatabase();
            return () -> api.delete(branchPath(id) + "/databases/more");
        });
    }

    private void projects() {
        apart("project", 5, () -> () -> api.post("/projects", "{\"project\":{\"name\":\"" + fresh() + "\"}}"));
        alone("project deletion", 4, () -> {
            String id = otherProject();
            return () -> api.delete(id);
        });
        alone("project deletion for good", 6, () -> {
            String id = otherProject();
            return () -> api.delete(id + "?hard_delete=true");
        });
        alone("project recovery", 2, () -> {
            String id = otherProject();
            api.delete(id).done();
            return () -> api.post(id + "/recover", "");
        });
    }

    private void apart(String name, int steps, Preparation preparation) {
        kinds.add(new Kind(name, steps, Family.APART, preparation));
    }

    private void member(String name, int steps, Preparation preparation) {
        kinds.add(new Kind(name, steps, Family.MEMBER, preparation));
    }

    private void alone(String name, int steps, Preparation preparation) {
        kinds.add(new Kind(name, steps, Family.ALONE, preparation));
    }

    /** A request about a branch or an endpoint. */
    private interface About {
        Answer send(String what) throws IOException;
    }

    private Preparation withBranch(About request) {
        return () -> {
            String id = branch();
            return () -> request.send(id);
        };
    }

    private Preparation withEndpoint(boolean awake, About request) {
        return () -> {
            String path = endpoint(branch());
            if (awake) {
                api.post(path + "/start", "").done();
            }
            return () -> request.send(path);
        };
    }

    private Request create(String parent, String more) {
        return () -> api.post(
                project + "/branches",
                "{\"branch\":{\"name\":\"%s\",\"parent_id\":\"%s\"%s}}".formatted(fresh(), parent, more));
    }

    private String branch() throws IOException {
        String id = create(main, "").send().done().text("/branch/id");
        touched.add(id);
        return id;
    }

    private String withRole() throws IOException {
        String id = branch();
        api.post(branchPath(id) + "/roles", "{\"role\":{\"name\":\"app\"}}").done();
        return id;
    }

    private String withDatabase() throws IOException {
        String id = branch();
        api.post(branchPath(id) + "/databases", "{\"database\":{\"name\":\"more\",\"owner_name\":\"coppice_owner\"}}")
                .done();
        return id;
    }

    private String otherProject() throws IOException {
        return "/projects/"
                + api.post("/projects", "{\"project\":{\"name\":\"" + fresh() + "\"}}")
                        .done()
                        .text("/project/id");
    }

    private String branchPath(String id) {
        return project + "/branches/" + id;
    }

    private String endpoint(String branch) throws IOException {
        return project + "/endpoints/"
                + api.get(branchPath(branch) + "/endpoints").text("/endpoints/0/id");
    }

    private String fresh() {
        return "name-" + ++names;
    }
}
