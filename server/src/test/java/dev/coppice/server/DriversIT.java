package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

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
