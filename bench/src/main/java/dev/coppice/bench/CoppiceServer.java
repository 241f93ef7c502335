package dev.coppice.bench;

import java.io.IOException;
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

    private final Path data;
    private final Process process;
    private final HttpClient http = HttpClient.newHttpClient();
    private final String api;
    private final String key;
    private final String project;

    CoppiceServer(Path home, Path data, Path configuration) {
        this.data = data;
        try {
            this.process = new ProcessBuilder(
                            home.resolve("coppice").toString(),
                            "up",
                            "--data",
                            data.toString(),
                            "--config",
                            configuration.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(data.resolveSibling("coppice.log").toFile())
                    .start();
            JsonNode access = JSON.readTree(awaitFile(data.resolve("cli.json")));
            this.api = access.get("apiUrl").asString();
            this.key = access.get("apiKey").asString();
            this.project = awaitProject();
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
        return "host=" + data.resolve("run").resolve(branch.endpointId()) + " user="
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
