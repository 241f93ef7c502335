package dev.coppice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Stock Postgres with its default settings on a plain local directory, from the binaries that Coppice unpacked. */
final class Vanilla implements AutoCloseable {
    private static final int PORT = 5499;
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long START_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Path binaries;
    private final Path directory;
    private final List<String> runAs;
    private Process process;

    /**
     * @param binaries directory with {@code bin/postgres}
     * @param runAs command prefix that changes to an unprivileged user, empty when not root
     */
    Vanilla(Path binaries, Path directory, List<String> runAs) {
        this.binaries = binaries;
        this.directory = directory;
        this.runAs = runAs;
        command(
                "initdb",
                "-D",
                data().toString(),
                "-U",
                "bench",
                "-A",
                "trust",
                "--locale=C.UTF-8",
                "-E",
                "UTF8",
                "--no-sync");
        try {
            Files.writeString(
                    data().resolve("postgresql.conf"),
                    "\nport=" + PORT + "\nlisten_addresses='127.0.0.1'\nunix_socket_directories='" + directory + "'\n",
                    java.nio.file.StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new IllegalStateException("cannot configure " + data(), e);
        }
        this.process = spawn();
        awaitFirstRow();
    }

    /** The data directory. */
    Path data() {
        return directory.resolve("data");
    }

    /** A connection over TCP. */
    Connection connect() {
        try {
            return DriverManager.getConnection(url());
        } catch (SQLException e) {
            throw new IllegalStateException("cannot connect to the vanilla server", e);
        }
    }

    private static String url() {
        return "jdbc:postgresql://127.0.0.1:" + PORT + "/postgres?user=bench";
    }

    String socketConnectionString() {
        return "host=" + directory + " port=" + PORT + " user=bench dbname=postgres";
    }

    String tcpConnectionString() {
        return "host=127.0.0.1 port=" + PORT + " user=bench dbname=postgres sslmode=disable";
    }

    /** Starts the stopped server; returns when a client has its first row. */
    double startToFirstRowMillis() {
        stop();
        long start = System.nanoTime();
        process = spawn();
        awaitFirstRow();
        return (System.nanoTime() - start) / 1e6;
    }

    private Process spawn() {
        try {
            return new ProcessBuilder(prefixed("postgres", "-D", data().toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile())
                    .start();
        } catch (IOException e) {
            throw new IllegalStateException("cannot start the vanilla server", e);
        }
    }

    private void awaitFirstRow() {
        long deadline = System.nanoTime() + START_LIMIT_NANOS;
        while (true) {
            try (Connection connection = DriverManager.getConnection(url());
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("select 1")) {
                row.next();
                return;
            } catch (SQLException e) {
                if (System.nanoTime() > deadline || !process.isAlive()) {
                    throw new IllegalStateException("the vanilla server does not answer", e);
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }

    private void stop() {
        process.destroy(); // SIGTERM: smart shutdown, and no client is connected
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void command(String program, String... arguments) {
        Command.run(Map.of(), prefixed(program, arguments));
    }

    private List<String> prefixed(String program, String... arguments) {
        List<String> command = new ArrayList<>(runAs);
        command.add(binaries.resolve("bin").resolve(program).toString());
        command.addAll(List.of(arguments));
        return command;
    }

    @Override
    public void close() {
        stop();
    }
}
