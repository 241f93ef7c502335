package dev.coppice.control.id;

import dev.coppice.control.error.ControlException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/** The rules that names must meet. */
public final class NameRules {
    private static final int BRANCH_MAX_CHARACTERS = 256;

    /** NAMEDATALEN - 1: Postgres would cut the rest off without a word. */
    private static final int IDENTIFIER_MAX_BYTES = 63;

    private static final Set<String> RESERVED_DATABASES = Set.of("postgres", "template0", "template1");
    private static final Set<String> RESERVED_ROLES = Set.of("coppice_admin", "public", "none");

    private NameRules() {}

    public static String branch(String name) {
        if (name.isBlank() || name.length() > BRANCH_MAX_CHARACTERS || !name.equals(name.strip())) {
            throw ControlException.invalid(
                    "branch.name: must have 1 to " + BRANCH_MAX_CHARACTERS + " characters and no blanks at its ends");
        }
        requireVisible("branch.name", name);
        if (name.indexOf('@') >= 0) {
            throw ControlException.invalid("branch.name: must not contain @");
        }
        return name;
    }

    public static String project(String name) {
        if (name.isBlank() || name.length() > BRANCH_MAX_CHARACTERS) {
            throw ControlException.invalid("project.name: must have 1 to " + BRANCH_MAX_CHARACTERS + " characters");
        }
        requireVisible("project.name", name);
        return name;
    }

    /** A role that may be created, changed or dropped. */
    public static String role(String name) {
        identifier("role.name", name);
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.startsWith("pg_") || RESERVED_ROLES.contains(lower)) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "the role name \"" + name + "\" is reserved");
        }
        return name;
    }

    /** A database that may be created or dropped. */
    public static String database(String name) {
        identifier("database.name", name);
        if (RESERVED_DATABASES.contains(name)) {
            throw new ControlException(
                    ControlException.Kind.UNPROCESSABLE, "the database name \"" + name + "\" is reserved");
        }
        return name;
    }

    /** A name must look like what it is: no control characters, none that change the direction of text, none without width. */
    private static void requireVisible(String field, String name) {
        boolean hidden = name.codePoints().anyMatch(c -> switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE -> true;
            default -> false;
        });
        if (hidden) {
            throw ControlException.invalid(
                    field + ": must not contain control characters or characters that cannot be seen");
        }
    }

    private static void identifier(String field, String name) {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes == 0 || bytes > IDENTIFIER_MAX_BYTES || name.indexOf('\0') >= 0) {
            throw ControlException.invalid(field + ": must have 1 to " + IDENTIFIER_MAX_BYTES + " bytes");
        }
    }
}
