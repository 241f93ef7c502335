package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.coppice.control.ControlFixture.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** What clients written for Neon's API rely on. */
class ApiContractIT {
    private static ControlFixture fixture;
    private static String base;

    @BeforeAll
    static void open() throws IOException {
        fixture = new ControlFixture(-1);
        base = "/projects/" + fixture.get("/projects").text("/projects/0/id");
    }

    @AfterAll
    static void close() throws IOException {
        fixture.close();
    }

    @Test
    void a_request_without_a_valid_key_is_answered_401_whether_or_not_the_thing_exists() {
        for (Optional<String> key : List.<Optional<String>>of(Optional.empty(), Optional.of("wrong"))) {
            for (String path : List.of("/projects", "/users/me", base, "/projects/none-such-00000000")) {
                Answer answer = fixture.call("GET", path, null, key);
                assertThat(answer.status()).isEqualTo(401);
                assertThat(answer.text("/message")).contains("API key");
            }
        }
    }

    @Test
    void an_unknown_route_and_an_unknown_thing_are_404_in_json_with_a_message() {
        for (String path : List.of(
                "/nothing",
                "/projects/none-such-00000000",
                base + "/branches/br-none-such-00000000",
                base + "/endpoints/ep-none-such-00000000",
                base + "/operations/none",
                base + "/branches/br-none-such-00000000/roles")) {
            Answer answer = fixture.get(path);
            assertThat(answer.status()).as(path).isEqualTo(404);
            assertThat(answer.text("/message")).isNotEmpty();
            assertThat(answer.text("/code")).isEqualTo("NOT_FOUND");
            assertThat(answer.text("/request_id")).isNotEmpty();
        }
    }

    @Test
    void a_refusal_is_no_failure_and_leaves_no_stack_trace_in_the_log() {
        Logger log = (Logger) LoggerFactory.getLogger("dev.coppice.control.api.server.Failures");
        Level before = log.getLevel();
        ListAppender<ILoggingEvent> events = new ListAppender<>();
        events.start();
        log.setLevel(Level.DEBUG);
        log.addAppender(events);
        try {
            String main = fixture.get(base + "/branches").text("/branches/0/id");
            String path = base + "/branches/" + main + "/masking_rules";
            assertThat(fixture.get(path).status()).isEqualTo(404);
            assertThat(events.list).anySatisfy(event -> {
                assertThat(event.getFormattedMessage()).contains(path, "404", "is no anonymized branch");
                assertThat(event.getThrowableProxy()).isNull();
            });
        } finally {
            log.detachAppender(events);
            log.setLevel(before);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"branch\":{\"name\":5}} | branch.name",
                "{\"branch\":[]} | branch",
                "{\"branch\":{\"protected\":\"yes\"}} | branch.protected",
                "{\"endpoints\":[{\"suspend_timeout_seconds\":\"x\"}]} | endpoints[0].suspend_timeout_seconds",
                "{\"branch\":{\"name\":\"\"}} | branch.name",
                "{\"branch\":{\"name\":\"a@b\"}} | branch.name",
                "{\"branch\":{\"parent_lsn\":\"16-3\"}} | branch.parent_lsn",
                "{\"branch\":{\"parent_timestamp\":\"yesterday\"}} | branch.parent_timestamp",
                "{\"branch\":{\"parent_timestamp\":\"2026-01-01T00:00:00Z\",\"parent_lsn\":\"0/1\"}} | not both",
                "{\"endpoints\":[{\"suspend_timeout_seconds\":-2}]} | suspend_timeout_seconds",
                "{\"branch\": | not JSON",
                "[] | request body",
                "null | JSON object",
            })
    void a_wrong_body_is_400_and_names_the_field(String body, String part) {
        Answer answer = fixture.post(base + "/branches", body);
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(400);
        assertThat(answer.text("/message")).contains(part);
    }

    @Test
    void unsupported_features_are_422_and_say_so() {
        assertThat(fixture.post(base + "/branches", "{\"endpoints\":[{\"type\":\"read_only\"}]}")
                        .status())
                .isEqualTo(422);
        assertThat(fixture.post("/projects", "{\"project\":{\"pg_version\":12}}")
                        .status())
                .isEqualTo(422);
    }

    @Test
    void branches_carry_annotations_and_come_in_pages_only_when_asked() {
        List<String> made = new ArrayList<>(List.of("main"));
        for (int i = 0; i < 5; i++) {
            made.add("page-" + i);
            assertThat(fixture.post(base + "/branches", "{\"branch\":{\"name\":\"page-" + i + "\"}}")
                            .status())
                    .isEqualTo(201);
        }
        Answer all = fixture.get(base + "/branches");
        assertThat(all.body().at("/annotations").isObject()).isTrue();
        List<String> names = names(all);
        assertThat(names).containsAll(made);
        List<String> paged = new ArrayList<>();
        String cursor = "";
        int pages = 0;
        do {
            Answer page = fixture.get(base + "/branches?limit=2" + (cursor.isEmpty() ? "" : "&cursor=" + cursor));
            paged.addAll(names(page));
            cursor = page.text("/pagination/next");
            pages++;
        } while (!cursor.isEmpty() && pages < 100);
        assertThat(paged).isEqualTo(names);
        assertThat(fixture.get(base + "/branches?limit=0").status()).isEqualTo(400);
    }

    @Test
    void a_branch_without_a_compute_can_get_one_and_only_one() {
        Answer made = fixture.post(base + "/branches", "{\"branch\":{\"name\":\"bare\"},\"endpoints\":[]}");
        assertThat(made.body().at("/endpoints")).isEmpty();
        String branch = made.text("/branch/id");
        assertThat(fixture.post(base + "/branches/" + branch + "/roles", "{\"role\":{\"name\":\"r\"}}")
                        .status())
                .isEqualTo(412);
        String body = "{\"endpoint\":{\"branch_id\":\"" + branch + "\",\"type\":\"read_write\"}}";
        Answer endpoint = fixture.post(base + "/endpoints", body);
        assertThat(endpoint.status()).isEqualTo(201);
        assertThat(fixture.post(base + "/endpoints", body).status()).isEqualTo(409);
        String id = endpoint.text("/endpoint/id");
        Answer changed = fixture.patch(base + "/endpoints/" + id, "{\"endpoint\":{\"suspend_timeout_seconds\":90}}");
        assertThat(changed.body().at("/endpoint/suspend_timeout_seconds").asInt())
                .isEqualTo(90);
        assertThat(fixture.delete(base + "/endpoints/" + id).status()).isEqualTo(200);
        assertThat(fixture.get(base + "/endpoints/" + id).status()).isEqualTo(404);
    }

    @Test
    void what_clients_ask_first_is_there() {
        assertThat(fixture.get("/users/me").text("/login")).isNotEmpty();
        assertThat(fixture.get("/users/me/organizations").text("/organizations/0/id"))
                .isNotEmpty();
        assertThat(fixture.get("/regions").text("/regions/0/region_id")).isEqualTo("local");
        assertThat(fixture.get("/projects/shared").body().at("/projects").isArray())
                .isTrue();
        assertThat(fixture.get(base).text("/project/created_at")).matches("20\\d\\d-\\d\\d-\\d\\dT[0-9:.]+Z");
        Answer operations = fixture.get(base + "/operations?limit=1");
        assertThat(operations.body().at("/operations")).hasSize(1);
        assertThat(operations.text("/operations/0/status")).isEqualTo("finished");
        assertThat(fixture.get(base + "/operations/" + operations.text("/operations/0/id"))
                        .text("/operation/id"))
                .isEqualTo(operations.text("/operations/0/id"));
    }

    @Test
    void a_connection_uri_routes_by_options() {
        Answer uri = fixture.get(base + "/connection_uri?database_name=coppice&role_name=coppice_owner");
        assertThat(uri.text("/uri"))
                .isEqualTo(fixture.control.welcome().connectionString().orElseThrow());
        assertThat(fixture.get(base + "/connection_uri?database_name=coppice").status())
                .isEqualTo(400);
        assertThat(fixture.get(base + "/connection_uri?database_name=none&role_name=coppice_owner")
                        .status())
                .isEqualTo(404);
    }

    private static List<String> names(Answer answer) {
        return answer.body()
                .at("/branches")
                .valueStream()
                .map(item -> item.at("/name").asString())
                .toList();
    }
}
