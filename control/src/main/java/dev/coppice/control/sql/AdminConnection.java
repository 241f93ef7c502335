package dev.coppice.control.sql;

import dev.coppice.compute.ComputeAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The only way to a users' database: no other class connects to a compute with JDBC. In a connection that this class made nothing
 * of a user's runs or decides anything: no setting of a role, a database or all of them, no event trigger, no library, and names
 * mean Postgres's own objects ({@link SessionPins}). Who executes statements that evaluate what users wrote (triggers, expressions
 * of indexes and constraints) as a superuser has to take care himself ({@code docs/decisions/059}). Thread-safe.
 */
public final class AdminConnection {
    /** The role that Coppice itself logs in with, over the Unix socket only. */
    public static final String ROLE = "coppice_admin";

    /** Is always there. */
    public static final String MAINTENANCE_DATABASE = "postgres";

    private static final String OLDEST_SERVER = "14";
    private static final String URL = "jdbc:postgresql://compute/";

    /** How the driver writes an error of the server; the primary message is the part that Postgres keeps free of values where it can. */
    private static final Pattern MESSAGE = Pattern.compile(
            "(?:[A-Z]+: )?(.*?)(?:\n  (?:Detail|Hint|Position|Where|Internal Query|Internal Position|Location): .*)?",
            Pattern.DOTALL);

    private final int majorVersion;

    /** @param majorVersion of the computes' Postgres */
    public AdminConnection(int majorVersion) {
        this.majorVersion = majorVersion;
    }

    /** Connects to the maintenance database, in auto-commit mode; the caller closes the connection. */
    public Connection open(ComputeAddress address) throws SQLException {
        return open(address, MAINTENANCE_DATABASE);
    }

    /**
     * Connects to a database, in auto-commit mode; the caller closes the connection.
     *
     * @throws SQLException 08001 when the compute does not listen, or somebody else does; nothing was sent then
     */
    public Connection open(ComputeAddress address, String database) throws SQLException {
        Properties properties = properties(address);
        properties.setProperty("user", ROLE);
        properties.setProperty("options", SessionPins.ofSuperuser(majorVersion));
        return connect(database, properties);
    }

    /**
     * Connects as one of the branch's own roles, which is what decides then what may be read.
     *
     * @throws SQLException class 28 when the password is not the role's
     */
    public Connection open(ComputeAddress address, String database, String role, String password) throws SQLException {
        Properties properties = properties(address);
        properties.setProperty("user", role);
        properties.setProperty("password", password);
        properties.setProperty("options", SessionPins.ofRole(majorVersion));
        return connect(database, properties);
    }

    /** What Postgres said, without what the driver adds to it. */
    public static String said(SQLException e) {
        String text = String.valueOf(e.getMessage());
        Matcher matcher = MESSAGE.matcher(text);
        return matcher.matches() ? matcher.group(1) : text;
    }

    private static Properties properties(ComputeAddress address) {
        Properties properties = new Properties();
        properties.setProperty("socketFactory", SocketOfCompute.class.getName());
        properties.setProperty("socketFactoryArg", SocketOfCompute.text(address));
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("assumeMinServerVersion", OLDEST_SERVER);
        properties.setProperty("ApplicationName", "coppice");
        return properties;
    }

    private static Connection connect(String database, Properties properties) throws SQLException {
        try {
            String url = URL + URLEncoder.encode(database, StandardCharsets.UTF_8);
            Connection connection = DriverManager.getDriver(URL).connect(url, properties);
            if (connection == null) {
                throw new SQLException("the driver does not know its own URL", "08001");
            }
            return connection;
        } finally {
            SocketOfCompute.loginEnded();
        }
    }
}
