package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the owners of a branch's databases may do is what their project says, in all its branches. */
class OwnerPowersIT {
    private static final String SUPERUSER = "SELECT rolsuper::text FROM pg_roles WHERE rolname = 'coppice_owner'";

    private static ControlFixture control;

    @BeforeAll
    static void open() throws IOException {
        control = new ControlFixture(-1);
    }

    @AfterAll
    static void close() throws IOException {
        control.close();
    }

    private static void ownerSuperuser(ProjectFixture project, boolean wanted) {
        Answer answer =
                control.patch(project.base, "{\"project\":{\"settings\":{\"owner_superuser\":" + wanted + "}}}");
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    }

    private static void restart(ProjectFixture project, String branch) {
        Answer answer = control.post(project.base + "/endpoints/" + project.endpointOf(branch) + "/restart", "{}");
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    }

    @Test
    void anOwnerIsASuperuserWhereHisProjectSaysSo() throws SQLException {
        ProjectFixture project = new ProjectFixture(control, "powers");
        ownerSuperuser(project, true);
        restart(project, project.main);
        assertThat(project.query(project.main, SUPERUSER)).isEqualTo("true");
        String before = project.created("before");

        ownerSuperuser(project, false);
        restart(project, project.main);
        assertThat(project.query(project.main, SUPERUSER)).isEqualTo("false");
        assertThat(project.query(
                        project.main,
                        "SELECT rolcreatedb AND rolcreaterole AND rolreplication AND rolbypassrls AND"
                                + " pg_has_role(rolname, 'pg_write_all_data', 'USAGE') AND"
                                + " pg_has_role(rolname, 'pg_maintain', 'USAGE') AND"
                                + " pg_has_role(rolname, 'coppice_superuser', 'MEMBER') AND NOT"
                                + " pg_has_role(rolname, 'pg_execute_server_program', 'MEMBER')"
                                + " FROM pg_roles WHERE rolname = 'coppice_owner'"))
                .isEqualTo("t");
        // Made of what they were superusers in, first started now.
        assertThat(project.query(before, SUPERUSER)).isEqualTo("false");
        assertThat(project.query(project.created("after"), SUPERUSER)).isEqualTo("false");
        assertThat(control.get(project.base + "/branches/" + project.main + "/roles")
                        .body()
                        .toString())
                .doesNotContain("coppice_superuser");

        ownerSuperuser(project, true);
        restart(project, project.main);
        assertThat(project.query(project.main, SUPERUSER)).isEqualTo("true");
    }

    @Test
    void aRoleOfTheApiHasTheRightsThatWereAskedFor() throws SQLException {
        ProjectFixture project = new ProjectFixture(control, "rights");
        String roles = project.base + "/branches/" + project.main + "/roles";
        assertThat(control.post(roles, "{\"role\":{\"name\":\"plain\"}}").status())
                .isEqualTo(201);
        assertThat(control.post(
                                roles,
                                "{\"role\":{\"name\":\"reader\",\"rights\":[\"pg_read_all_data\",\"createrole\"]}}")
                        .status())
                .isEqualTo(201);
        Answer wrong = control.post(roles, "{\"role\":{\"name\":\"root\",\"rights\":[\"superuser\"]}}");
        assertThat(wrong.status()).isEqualTo(400);
        assertThat(wrong.text("/message")).contains("superuser").contains("pg_read_all_data");
        String rights = "SELECT concat_ws(' ', rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,"
                + " pg_has_role(oid, 'pg_read_all_data', 'USAGE')) FROM pg_roles WHERE rolname = ";
        assertThat(project.query(project.main, rights + "'plain'")).isEqualTo("f f f f f");
        assertThat(project.query(project.main, rights + "'reader'")).isEqualTo("f t f f t");
        // It could make a role that is not masked.
        Answer masked = control.call("PUT", roles + "/reader/masking", "{}");
        assertThat(masked.status()).as(masked.toString()).isEqualTo(422);
        assertThat(masked.text("/message")).contains("NOCREATEROLE");
    }
}
