package dev.coppice.bench;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** SQL that is the same on both servers. */
final class Rows {
    /** A table of which a megabyte is about {@value} rows of half a kilobyte, of text that compresses by half. */
    private static final int ROWS_PER_MEGABYTE = 1_792;

    private Rows() {}

    static void makeTable(Connection connection, String name, int megabytes) {
        StringBuilder text = new StringBuilder("md5(g::text)");
        for (int i = 1; i < 16; i++) {
            text.append(" || md5((g * 16 + ").append(i).append(")::text)");
        }
        execute(connection, "create table " + name + " (id bigint, filler text)");
        for (int done = 0; done < megabytes; done += 1024) {
            long first = (long) done * ROWS_PER_MEGABYTE;
            long last = (long) Math.min(done + 1024, megabytes) * ROWS_PER_MEGABYTE;
            execute(
                    connection,
                    "insert into " + name + " select g, " + text + " from generate_series(" + (first + 1) + "::bigint, "
                            + last + ") g");
        }
        execute(connection, "vacuum (analyze, freeze) " + name);
        execute(connection, "checkpoint");
    }

    static void execute(Connection connection, String sql) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    static double millis(Connection connection, String sql) {
        long start = System.nanoTime();
        execute(connection, sql);
        return (System.nanoTime() - start) / 1e6;
    }

    static String text(Connection connection, String sql) {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IllegalStateException("cannot close a connection", e);
        }
    }
}
