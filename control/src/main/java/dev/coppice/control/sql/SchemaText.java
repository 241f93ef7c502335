package dev.coppice.control.sql;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** The schema of a database as SQL: what {@code pg_dump --schema-only} is for, which the embedded Postgres does not have. */
public final class SchemaText {
    private static final String QUERY = read("schema.sql");

    private SchemaText() {}

    /**
     * Statements with a blank line between them; the same schema always gives the same text.
     *
     * @param connection of {@link AdminConnection}: every name comes qualified, as its path has no schema of a user
     */
    public static String of(Connection connection) throws SQLException {
        StringBuilder text = new StringBuilder();
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            try (ResultSet rows = statement.executeQuery(QUERY)) {
                while (rows.next()) {
                    text.append(rows.getString(1)).append("\n\n");
                }
            }
        }
        return text.isEmpty() ? "" : text.substring(0, text.length() - 1);
    }

    private static String read(String resource) {
        try (InputStream in = SchemaText.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the program lacks its query " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the query " + resource, e);
        }
    }
}
