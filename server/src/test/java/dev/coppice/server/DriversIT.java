package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both JDBC drivers through the whole server to a branch that sleeps, with and without TLS. */
class DriversIT {
    private static ServerProcess server;
    private static String port;
    private static String password;
    private static String endpoint;

    @BeforeAll
    static void start() throws IOException {
        server = ServerProcess.start("drv");
        server.cli("branches", "create", "--name", "app").text();
        String uri = server.uri("app");
        port = uri.replaceAll(".*:(\\d+)/.*", "$1");
        password = uri.replaceAll(".*//[^:]*:([^@]*)@.*", "$1");
        endpoint = uri.replaceAll(".*endpoint%3D(ep-[a-z0-9-]+).*", "$1");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @Test
    void pgjdbc_without_tls_by_options() throws SQLException {
        use("jdbc:postgresql://127.0.0.1:" + port + "/coppice?sslmode=disable&options=endpoint%3D" + endpoint);
    }

    @Test
    void pgjdbc_with_tls_by_options() throws SQLException {
        use("jdbc:postgresql://127.0.0.1:" + port + "/coppice?sslmode=require&options=endpoint%3D" + endpoint);
    }

    @Test
    void pgjdbc_with_direct_tls_and_the_branch_behind_the_database() throws SQLException {
        use("jdbc:postgresql://127.0.0.1:" + port + "/coppice@app?sslmode=require&sslNegotiation=direct");
    }

    @Test
    void pgjdbc_ng_without_tls_and_the_branch_behind_the_database() throws SQLException {
        use("jdbc:pgsql://127.0.0.1:" + port + "/coppice@app?ssl.mode=disable");
    }

    @Test
    void pgjdbc_ng_with_tls_and_the_branch_behind_the_database() throws SQLException {
        use("jdbc:pgsql://127.0.0.1:" + port + "/coppice@app?ssl.mode=require");
    }

    /** As a Spring application has it: threads, transactions, prepared statements that live long, batches, savepoints. */
    @ParameterizedTest
    @CsvSource({"disable, ''", "disable, -pooler", "require, ''", "require, -pooler"})
    void a_connection_pool_of_an_application(String sslMode, String suffix) throws Exception {
        HikariConfig configuration = new HikariConfig();
        configuration.setJdbcUrl(
                "jdbc:postgresql://127.0.0.1:" + port + "/coppice?options=endpoint%3D" + endpoint + suffix + "&sslmode="
                        + sslMode + "&prepareThreshold=2&reWriteBatchedInserts=true&autosave=conservative");
        configuration.setUsername("coppice_owner");
        configuration.setPassword(password);
        configuration.setMaximumPoolSize(6);
        configuration.setAutoCommit(false);
        configuration.setTransactionIsolation("TRANSACTION_REPEATABLE_READ");
        configuration.setSchema("public");
        String table = "accounts_" + sslMode + suffix.replace("-", "_");
        try (HikariDataSource source = new HikariDataSource(configuration);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            transact(source, connection -> {
                execute(connection, "create table " + table + " (id int primary key, amount int not null)");
                try (PreparedStatement insert =
                        connection.prepareStatement("insert into " + table + " values (?, 100)")) {
                    for (int i = 0; i < 200; i++) {
                        insert.setInt(1, i);
                        insert.addBatch();
                    }
                    assertThat(insert.executeBatch()).hasSize(200);
                }
            });
            List<Future<?>> transfers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                int from = 2 * i;
                transfers.add(threads.submit(() -> {
                    transact(source, connection -> {
                        add(connection, table, from, -10);
                        Savepoint before = connection.setSavepoint();
                        add(connection, table, from + 1, 1000);
                        connection.rollback(before);
                        add(connection, table, from + 1, 10);
                    });
                    return null;
                }));
            }
            for (Future<?> each : transfers) {
                each.get();
            }
            transact(source, connection -> {
                try (Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery("select sum(amount), count(distinct amount),"
                                + " current_setting('transaction_isolation') from " + table)) {
                    assertThat(row.next()).isTrue();
                    assertThat(row.getInt(1)).isEqualTo(20_000);
                    assertThat(row.getInt(2)).isEqualTo(2);
                    assertThat(row.getString(3)).isEqualTo("repeatable read");
                }
            });
        }
    }

    private interface Work {
        void in(Connection connection) throws SQLException;
    }

    private static void transact(HikariDataSource source, Work work) throws SQLException {
        try (Connection connection = source.getConnection()) {
            work.in(connection);
            connection.commit();
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void add(Connection connection, String table, int id, int amount) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("update " + table + " set amount = amount + ? where id = ?")) {
            update.setInt(1, amount);
            update.setInt(2, id);
            assertThat(update.executeUpdate()).isEqualTo(1);
        }
    }

    private static void use(String url) throws SQLException {
        server.cli("computes", "suspend", "app").text();
        try (Connection connection = DriverManager.getConnection(url, "coppice_owner", password)) {
            try (PreparedStatement statement =
                    connection.prepareStatement("select sum(g) from generate_series(1, ?) g")) {
                statement.setInt(1, 100);
                try (ResultSet row = statement.executeQuery()) {
                    assertThat(row.next()).isTrue();
                    assertThat(row.getLong(1)).isEqualTo(5050);
                }
            }
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement("create table made_here (n int)")) {
                statement.execute();
            }
            connection.rollback();
        }
    }
}
