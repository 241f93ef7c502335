package dev.coppice.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A server started with {@code ./coppice up} on a directory of its own, driven through its REST API. */
final class CoppiceServer implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final long START_LIMIT_NANOS = TimeUnit.MINUTES.toNanos(5);

    /** A branch as a client sees it. */
    record Branch(String id, String endpointId, String uri, String password) {
        /** The same address for pgjdbc; options carry the endpoint. */
        String jdbcUrl() {
            URI parsed = URI.create(uri);
            return "jdbc:postgresql://" + parsed.getHost() + ":" + parsed.getPort() + parsed.getPath()
                    + "?sslmode=disable&user=" + parsed.getUserInfo().split(":", 2)[0] + "&password=" + password
                    + "&options=endpoint%3D" + endpointId;
        }
    }

    private final Path home;
    private final Path data;
    private final Path configuration;
    private final HttpClient http = HttpClient.newHttpClient();
    private Process process;
    private String api;
    private String key;
    private String project;

    CoppiceServer(Path home, Path data, Path configuration) {
        this.home = home;
        this.data = data;
        this.configuration = configuration;
        this.process = spawn();
        this.api = "";
        this.key = "";
        this.project = "";
        awaitReady();
    }

    /** Starts the stopped server again; returns when its API answers. */
    void start() {
        process = spawn();
        awaitReady();
    }

    private Process spawn() {
        try {
            Files.deleteIfExists(data.resolve("cli.json"));
            return new ProcessBuilder(
                            home.resolve("coppice").toString(),
                            "up",
                            "--data",
                            data.toString(),
                            "--config",
                            configuration.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(data.resolveSibling("coppice.log").toFile())
                    .start();
        } catch (IOException e) {
            throw new IllegalStateException("cannot start the server", e);
        }
    }

    private void awaitReady() {
        try {
            JsonNode access = JSON.readTree(awaitFile(data.resolve("cli.json")));
            api = access.get("apiUrl").asString();
            key = access.get("apiKey").asString();
            project = awaitProject();
        } catch (IOException e) {
            throw new IllegalStateException("cannot start the server", e);
        }
    }

    private String awaitFile(Path file) throws IOException {
        long deadline = System.nanoTime() + START_LIMIT_NANOS;
        while (!Files.exists(file) || Files.size(file) == 0) {
            if (!process.isAlive() || System.nanoTime() > deadline) {
                throw new IllegalStateException("the server did not start: " + data.resolveSibling("coppice.log"));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        return Files.readString(file);
    }

    private String awaitProject() {
        long deadline = System.nanoTime() + START_LIMIT_NANOS;
        while (true) {
            try {
                return call("GET", "/projects", "").at("/projects/0/id").asString();
            } catch (IllegalStateException e) {
                if (System.nanoTime() > deadline || !process.isAlive()) {
                    throw e;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }
    }

    /** The page service's directory. */
    Path timelines() {
        return data.resolve("timelines");
    }

    /** Main, after it answered. */
    Branch awakeMain() {
        Branch main = branch("main");
        awaitFirstRow(main);
        return main;
    }

    /** A connection through the proxy; wakes the compute. */
    Connection connect(Branch branch) {
        try {
            return DriverManager.getConnection(branch.jdbcUrl());
        } catch (SQLException e) {
            throw new IllegalStateException("cannot connect to " + branch.id(), e);
        }
    }

    double createMillis(String name, String parentId) {
        long start = System.nanoTime();
        createBranchOnly(name, parentId);
        return (System.nanoTime() - start) / 1e6;
    }

    /** One API call about the project's branches, answered: {@code query} is what follows {@code /branches}. */
    double listMillis(String query) {
        long start = System.nanoTime();
        call("GET", "/projects/" + project + "/branches" + query, "");
        return (System.nanoTime() - start) / 1e6;
    }

    /** A list of all branches, page after page. */
    double listPagesMillis(int pageSize) {
        long start = System.nanoTime();
        String cursor = "";
        do {
            JsonNode page = call("GET", "/projects/" + project + "/branches?limit=" + pageSize + cursor, "");
            JsonNode next = page.at("/pagination/next");
            cursor = next.isString() ? "&cursor=" + next.asString() : "";
        } while (!cursor.isEmpty());
        return (System.nanoTime() - start) / 1e6;
    }

    /** Deletes a branch for good, which is one API call. */
    double deleteMillis(String branchId) {
        long start = System.nanoTime();
        call("DELETE", "/projects/" + project + "/branches/" + branchId + "?hard_delete=true", "");
        return (System.nanoTime() - start) / 1e6;
    }

    /** Deletes a branch with its compute. */
    void delete(Branch branch) {
        call("DELETE", "/projects/" + project + "/branches/" + branch.id(), "");
    }

    /** Bytes of the objects that are left on the heap after a full collection. */
    long liveHeapBytes() {
        String histogram = Command.run(
                Map.of(),
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(process.pid()),
                        "GC.class_histogram"));
        String total = histogram.strip().substring(histogram.strip().lastIndexOf("Total"));
        return Long.parseLong(total.strip().split("\\s+")[2]);
    }

    Path binaries() {
        try (var versions = Files.list(data.resolve("postgres"))) {
            return versions.filter(Files::isDirectory).findFirst().orElseThrow();
        } catch (IOException e) {
            throw new IllegalStateException("no binaries below " + data, e);
        }
    }

    Branch branch(String name) {
        JsonNode branches =
                call("GET", "/projects/" + project + "/branches", "").get("branches");
        for (JsonNode branch : branches) {
            if (branch.get("name").asString().equals(name)) {
                return describe(branch.get("id").asString());
            }
        }
        throw new IllegalArgumentException("no branch " + name);
    }

    Branch createBranch(String name, String parentId) {
        return describe(createBranchOnly(name, parentId));
    }

    /** One API call; returns the new branch's id. */
    String createBranchOnly(String name, String parentId) {
        JsonNode created = call(
                "POST",
                "/projects/" + project + "/branches",
                JSON.writeValueAsString(Map.of(
                        "branch", Map.of("name", name, "parent_id", parentId),
                        "endpoints", List.of(Map.of("type", "read_write")))));
        return created.at("/branch/id").asString();
    }

    /** An anonymized branch; rules are pairs of a column of the table in schema public and a function. */
    Branch createAnonymized(String name, String parentId, String database, String table, List<List<String>> rules) {
        JsonNode created = call(
                "POST",
                "/projects/" + project + "/branch_anonymized",
                JSON.writeValueAsString(Map.of(
                        "branch_create",
                        Map.of(
                                "branch", Map.of("name", name, "parent_id", parentId),
                                "endpoints", List.of(Map.of("type", "read_write"))),
                        "masking_rules",
                        rules.stream()
                                .map(rule -> Map.of(
                                        "database_name",
                                        database,
                                        "schema_name",
                                        "public",
                                        "table_name",
                                        table,
                                        "column_name",
                                        rule.getFirst(),
                                        "masking_function",
                                        rule.getLast()))
                                .toList())));
        return describe(created.at("/branch/id").asString());
    }

    private Branch describe(String branchId) {
        String prefix = "/projects/" + project;
        String endpoint = call("GET", prefix + "/branches/" + branchId + "/endpoints", "")
                .at("/endpoints/0/id")
                .asString();
        String role = call("GET", prefix + "/branches/" + branchId + "/roles", "")
                .at("/roles/0/name")
                .asString();
        String database = call("GET", prefix + "/branches/" + branchId + "/databases", "")
                .at("/databases/0/name")
                .asString();
        String uri = call(
                        "GET",
                        prefix + "/connection_uri?branch_id=" + branchId + "&role_name=" + role + "&database_name="
                                + database,
                        "")
                .get("uri")
                .asString();
        String password = call("GET", prefix + "/branches/" + branchId + "/roles/" + role + "/reveal_password", "")
                .get("password")
                .asString();
        return new Branch(branchId, endpoint, uri, password);
    }

    /** Suspends the branch's compute; returns when it is gone. */
    void suspend(Branch branch) {
        call("POST", "/projects/" + project + "/endpoints/" + branch.endpointId() + "/suspend", "");
        while (!call("GET", "/projects/" + project + "/endpoints/" + branch.endpointId(), "")
                .at("/endpoint/current_state")
                .asString()
                .equals("idle")) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    /** The first row after a start: the API answers a moment before the proxy does. */
    void awaitFirstRow(Branch branch) {
        long deadline = System.nanoTime() + START_LIMIT_NANOS;
        while (true) {
            try {
                connectToFirstRowMillis(branch);
                return;
            } catch (IllegalStateException e) {
                if (System.nanoTime() > deadline || !process.isAlive()) {
                    throw e;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            }
        }
    }

    /** A connection through the proxy to the first row, in milliseconds; the compute may sleep. */
    double connectToFirstRowMillis(Branch branch) {
        long start = System.nanoTime();
        try (Connection connection = DriverManager.getConnection(branch.jdbcUrl());
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select 1")) {
            row.next();
            return (System.nanoTime() - start) / 1e6;
        } catch (SQLException e) {
            throw new IllegalStateException("cannot query " + branch.id(), e);
        }
    }

    /** For pgbench on the compute's own socket, past the proxy. */
    String directConnectionString(Branch branch) {
        URI parsed = URI.create(branch.uri());
        Path sockets;
        try (Stream<Path> names = Files.list(data.resolve("run").resolve(branch.endpointId()))) {
            sockets = names.filter(Files::isDirectory).findFirst().orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "host=" + sockets + " user="
                + parsed.getUserInfo().split(":", 2)[0] + " dbname="
                + parsed.getPath().substring(1);
    }

    private JsonNode call(String method, String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(api + path))
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() / 100 != 2) {
                throw new IllegalStateException(method + " " + path + ": " + response.body());
            }
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new IllegalStateException(method + " " + path + " failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public void close() {
        stop();
    }

    /** Orderly: all computes are suspended. */
    void stop() {
        process.destroy();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
