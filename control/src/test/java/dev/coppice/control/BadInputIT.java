package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong with a request is told: the right status, and a message that names the field or the thing. */
class BadInputIT {
    private static ControlFixture fixture;
    private static Map<String, String> names;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1);
        String id = fixture.get("/projects").text("/projects/0/id");
        String project = "/projects/" + id;
        String main = fixture.get(project + "/branches").text("/branches/0/id");
        Answer child = fixture.post(project + "/branches", "{\"branch\":{\"name\":\"child\"}}");
        Answer foreign = fixture.post("/projects", "{\"project\":{\"name\":\"other\"}}");
        names = Map.of(
                "$P", project,
                "$MAIN", main,
                "$CHILD", child.text("/branch/id"),
                "$EP", child.text("/endpoints/0/id"),
                "$FOREIGN_EP", foreign.text("/endpoints/0/id"),
                "$FOREIGN", foreign.text("/branch/id"));
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    private static String filled(String text) {
        String result = text;
        for (String name :
                names.keySet().stream().sorted(Comparator.reverseOrder()).toList()) {
            result = result.replace(name, names.getOrDefault(name, name));
        }
        return result;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                // Unknown things.
                "GET    | /projects/no-such-00000000                    |                | 404 | no-such-00000000",
                "GET    | $P/branches/br-no-such-00000000               |                | 404 | br-no-such-00000000",
                "GET    | $P/endpoints/ep-no-such-00000000              |                | 404 | ep-no-such-00000000",
                "GET    | $P/operations/5                               |                | 404 | operation",
                "GET    | $P/branches/$MAIN/roles/nobody                |                | 404 | nobody",
                "GET    | $P/branches/$MAIN/databases/nothing           |                | 404 | nothing",
                "DELETE | /api_keys/999999999                           |                | 404 | 999999999",
                "DELETE | /api_keys/mine                                |                | 404 | mine",
                "GET    | /organizations/org-other                      |                | 404 | org-coppice",
                "GET    | /projects?org_id=org-other                    |                | 404 | org-coppice",
                "POST   | $P/nonsense                                   | {}             | 404 | not a route",
                // Another project's things are as unknown as those that do not exist.
                "GET    | $P/branches/$FOREIGN                          |                | 404 | not found",
                "POST   | $P/branches | {`branch`:{`parent_id`:`$FOREIGN`}}              | 404 | not found",
                "POST   | $P/branches/$CHILD/restore | {`source_branch_id`:`$FOREIGN`}   | 404 | not found",
                "POST   | $P/endpoints/$FOREIGN_EP/start                |                | 404 | not found",
                "POST   | $P/endpoints | {`endpoint`:{`branch_id`:`$FOREIGN`,`type`:`read_write`}} | 404 | not found",
                // Names.
                "POST   | $P/branches | {`branch`:{`name`:``}}                           | 400 | branch.name",
                "POST   | $P/branches | {`branch`:{`name`:`a@b`}}                        | 400 | branch.name",
                "POST   | $P/branches | {`branch`:{`name`:`a\\u202Eb`}}                  | 400 | cannot be seen",
                "POST   | $P/branches | {`branch`:{`name`:`a\\u0000b`}}                  | 400 | branch.name",
                "POST   | $P/branches | {`branch`:{`name`:`a`,`name`:`b`}}               | 400 | name",
                "PUT    | $P/branches                                   | {}             | 405 | GET, POST",
                "OPTIONS | $P/branches                                  |                | 405 | GET, POST",
                "BREW   | $P/branches                                   |                | 501 | BREW",
                "POST   | $P/branches | {`branch`:{`name`:`child`}}                      | 409 | already exists",
                "PATCH  | $P/branches/$CHILD | {`branch`:{`name`:`main`}}                | 409 | already exists",
                "POST   | /projects | {`project`:{`name`:``}}                            | 400 | project.name",
                "POST   | $P/branches/$MAIN/roles | {`role`:{`name`:`pg_root`}}          | 422 | reserved",
                "POST   | $P/branches/$MAIN/roles | {`role`:{`name`:`coppice_owner`}}    | 409 | already exists",
                "POST   | $P/branches/$MAIN/databases | {`database`:{`name`:`template1`,`owner_name`:`coppice_owner`}} | 422 | reserved",
                "POST   | $P/branches/$MAIN/databases | {`database`:{`name`:`d`,`owner_name`:`nobody`}} | 404 | nobody",
                "PATCH  | $P/branches/$MAIN/databases/coppice | {`database`:{`name`:`postgres`}} | 422 | reserved",
                "POST   | /api_keys | {`key_name`:``}                                    | 400 | key_name",
                "POST   | /api_keys | {`key_name`:`k`,`project_id`:`no-such`}            | 404 | no-such",
                // Moments.
                "POST   | $P/branches | {`branch`:{`parent_lsn`:`FFFF/0`}}               | 422 | FFFF/0",
                "POST   | $P/branches | {`branch`:{`parent_lsn`:`0/1`}}                  | 422 | 0/1",
                "POST   | $P/branches | {`branch`:{`parent_lsn`:`hello`}}                | 400 | branch.parent_lsn",
                "POST   | $P/branches | {`branch`:{`parent_timestamp`:`2999-01-01T00:00:00Z`}} | 422 | future",
                "POST   | $P/branches | {`branch`:{`parent_timestamp`:`1999-01-01T00:00:00Z`}} | 422 | 1999",
                "POST   | $P/branches | {`branch`:{`parent_timestamp`:`2026-01-01`}}     | 400 | RFC 3339",
                "POST   | $P/branches | {`branch`:{`expires_at`:`1999-01-01T00:00:00Z`}} | 400 | not in the future",
                "POST   | $P/branches | {`branch`:{`expires_at`:`tomorrow`}}             | 400 | expires_at",
                // Masked roles.
                "PUT    | $P/branches/$MAIN/roles/nobody/masking        | {}             | 404 | nobody",
                "PUT    | $P/branches/$MAIN/roles/coppice_admin/masking | {}             | 404 | coppice_admin",
                "PUT    | $P/branches/$MAIN/roles/coppice_owner/masking | {}             | 422 | superuser",
                "PUT    | $P/branches/$MAIN/roles/coppice_owner/masking | {`max_lag_seconds`:0}       | 400 | max_lag_seconds",
                "PUT    | $P/branches/$MAIN/roles/coppice_owner/masking | {`max_lag_seconds`:604801}  | 400 | 604800",
                "PUT    | $P/branches/$MAIN/roles/coppice_owner/masking | {`max_lag_seconds`:`5m`}    | 400 | max_lag_seconds",
                "PUT    | $P/branches/$MAIN/roles/coppice_owner/masking | {`masking_rule_set`:`none`} | 404 | none",
                "GET    | $P/branches/$MAIN/roles/coppice_owner/masking |                | 404 | not masked",
                "DELETE | $P/branches/$MAIN/roles/coppice_owner/masking |                | 404 | not masked",
                "GET    | $P/branches/$FOREIGN/masked_roles             |                | 404 | not found",
                // Trees.
                "POST   | $P/branches/$MAIN/restore | {`source_branch_id`:`$MAIN`}       | 400 | source_lsn",
                "POST   | $P/branches/$MAIN/restore | {}                                 | 400 | source_branch_id",
                "DELETE | $P/branches/$MAIN                             |                | 422 | main",
                // Settings.
                "PATCH  | $P | {`project`:{`history_retention_seconds`:-1}}              | 400 | history_retention_seconds",
                "PATCH  | $P | {`project`:{`history_retention_seconds`:99999999}}        | 400 | 2592000",
                "PATCH  | $P | {`project`:{`settings`:{`quota`:{`active_time_seconds`:-5}}}} | 400 | active_time_seconds",
                "PATCH  | $P | {`project`:{`settings`:{`block_public_connections`:true}}} | 422 | allowed_ips",
                "PATCH  | $P | {`project`:{`default_endpoint_settings`:{`autoscaling_limit_max_cu`:0.1}}} | 400 | 0.1",
                "PATCH  | $P | {}                                                        | 400 | project",
                "PATCH  | $P/endpoints/$EP | {`endpoint`:{`suspend_timeout_seconds`:-7}}  | 400 | suspend_timeout_seconds",
                "PATCH  | $P/endpoints/$EP | {`endpoint`:{`autoscaling_limit_max_cu`:99}} | 400 | 99",
                "PATCH  | $P/endpoints/$EP | {`endpoint`:{`autoscaling_limit_min_cu`:2,`autoscaling_limit_max_cu`:1}} | 400 | autoscaling_limit_min_cu",
                "PATCH  | $P/endpoints/$EP | {`endpoint`:{`settings`:{`pg_settings`:{`fsync`:`off`}}}} | 400 | fsync",
                "PATCH  | $P | {`project`:{`default_endpoint_settings`:{`pg_settings`:{`fsync`:`off`}}}} | 400 | fsync",
                "PATCH  | $P | {`project`:{`default_endpoint_settings`:{`pg_settings`:{`work_mem`:`rubbish`}}}} | 422 | not start",
                "POST   | /projects | {`project`:{`default_endpoint_settings`:{`pg_settings`:{`no_such`:`1`}}}} | 422 | not start",
                "PATCH  | $P/endpoints/$EP | {`endpoint`:{`settings`:{`pg_settings`:{`work_mem`:5}}}} | 400 | pg_settings.work_mem",
                "PATCH  | $P/endpoints/$EP | {`endpoint`:{`settings`:{`pg_settings`:{`work_mem`:null}}}} | 400 | pg_settings.work_mem",
                "POST   | $P/endpoints | {`endpoint`:{`branch_id`:`$CHILD`,`type`:`read_only`}} | 422 | read_only",
                "POST   | $P/endpoints | {`endpoint`:{`branch_id`:`$CHILD`,`type`:`read_write`}} | 409 | already exists",
                "POST   | $P/branches | {`annotation_value`:{`a`:null}}                  | 400 | annotation_value",
                // Lists.
                "GET    | $P/branches?limit=0                           |                | 400 | limit",
                "GET    | $P/branches?limit=many                        |                | 400 | limit",
                "GET    | $P/branches?sort_by=size                      |                | 400 | sort_by",
                "GET    | $P/branches?sort_order=up                     |                | 400 | sort_order",
                "GET    | $P/branches?cursor=nonsense                   |                | 400 | cursor",
                "GET    | $P/operations?cursor=nonsense                 |                | 400 | cursor",
                "GET    | /consumption_history/projects                 |                | 400 | granularity",
                "GET    | /consumption_history/projects?granularity=daily&from=now&to=now |  | 400 | from",
                // Types and forms.
                "POST   | $P/branches | {`branch`:{`name`:7}}                            | 400 | branch.name",
                "POST   | $P/branches | {`branch`:`main`}                                | 400 | branch",
                "POST   | $P/branches | {`branch`:                                       | 400 | not JSON",
                "POST   | $P/branches | []                                               | 400 | request body",
            })
    void a_wrong_request_is_told_what_is_wrong(
            String method, String path, String body, int status, String messagePart) {
        Answer answer = fixture.call(
                method, filled(path), body == null ? null : filled(body).replace('`', '"'));
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(status);
        assertThat(answer.text("/message")).isNotEmpty();
        assertThat(answer.text("/message")).contains(messagePart == null ? "" : messagePart);
        assertThat(answer.text("/code")).isNotEmpty();
        assertThat(answer.text("/request_id")).isNotEmpty();
    }

    @Test
    void a_body_over_the_limit_is_413_and_the_next_request_is_served() {
        Answer answer =
                fixture.post(filled("$P") + "/branches", "{\"branch\":{\"name\":\"" + "x".repeat(2 << 20) + "\"}}");
        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.text("/message")).contains("larger than");
        assertThat(fixture.get(filled("$P")).status()).isEqualTo(200);
    }

    @Test
    void nothing_is_done_without_a_key() {
        for (String method : new String[] {"GET", "PATCH", "DELETE"}) {
            Answer answer = fixture.call(method, filled("$P"), null, Optional.empty());
            assertThat(answer.status()).isEqualTo(401);
        }
        assertThat(fixture.get(filled("$P")).status()).isEqualTo(200);
    }
}
