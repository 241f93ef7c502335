package dev.coppice.cli.command;

import dev.coppice.cli.api.Session;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code BRANCH} or {@code BRANCH@POINT} as typed. Branch names have no {@code @}.
 *
 * @param branch name or id; null = the default branch
 * @param moment null = now
 */
public record BranchAt(@Nullable String branch, @Nullable PointInTime moment) {
    public static BranchAt parse(@Nullable String text) {
        int at = text == null ? -1 : text.indexOf('@');
        if (text == null || at < 0) {
            return new BranchAt(text, null);
        }
        String branch = text.substring(0, at);
        return new BranchAt(
                branch.isEmpty() ? null : branch, PointInTime.parse(text.substring(at + 1), "what follows @"));
    }

    /** As {@link Session#connectionUri}, for the moment. */
    public JsonNode connectionUri(Session session, String project, @Nullable String database, @Nullable String role) {
        JsonNode answer = session.connectionUri(project, session.branch(project, branch), database, role);
        if (moment != null && answer instanceof ObjectNode object) {
            object.put("uri", moment.in(answer.path("uri").asString("")));
        }
        return answer;
    }
}
