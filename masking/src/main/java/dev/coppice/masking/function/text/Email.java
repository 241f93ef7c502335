package dev.coppice.masking.function.text;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import java.util.Locale;

/** E-mail addresses. */
public final class Email {
    private static final long LOCAL_PART = PseudoRandom.label("e-mail local part");
    private static final long DOMAIN = PseudoRandom.label("e-mail domain");

    private Email() {}

    /** An address of 17 characters. */
    static String strangerEmail(RandomStream stream) {
        return TextFunction.letters(stream, 12) + "@" + TextFunction.letters(stream, 1) + ".co";
    }

    /**
     * The pseudonym of an address is an address of the same shape: same local part and domain, same pseudonym; distinct addresses stay
     * distinct. The top-level domain stays, and the domain too if so declared.
     */
    public record Pseudonym(boolean keepDomain) implements TextFunction {
        @Override
        public String apply(PseudoRandom random, String value) {
            int at = value.lastIndexOf('@');
            // The token of a long text has no place for an @: as a whole it stays distinct.
            if (at <= 0 || value.length() > TextPseudonym.MAX_SYMBOLS) {
                return TextPseudonym.permute(random, LOCAL_PART, value);
            }
            String domain = value.substring(at + 1);
            byte[] folded = TextFunctions.utf8(Alphabet.fold(domain));
            long label = random.hash(LOCAL_PART, 2, folded, folded.length);
            return TextPseudonym.permute(random, label, value.substring(0, at)) + "@" + domain(random, domain);
        }

        private String domain(PseudoRandom random, String domain) {
            if (keepDomain) {
                return domain;
            }
            int dot = domain.lastIndexOf('.');
            return random.remembered(
                    DOMAIN,
                    domain,
                    () -> dot <= 0
                            ? TextPseudonym.permute(random, DOMAIN, domain)
                            : TextPseudonym.permute(random, DOMAIN, domain.substring(0, dot)) + domain.substring(dot));
        }

        @Override
        public String stranger(RandomStream stream) {
            return strangerEmail(stream);
        }
    }

    /** An invented address of at most the same length, at a domain that nobody owns or at one of the free providers. */
    public record Invented(String name, Dictionary domains) implements TextFunction {
        private static final int SHORTEST_LOCAL_PART = 3;

        @Override
        public String apply(PseudoRandom random, String value) {
            int room = TextFunctions.length(value);
            RandomStream stream = random.stream(PseudoRandom.label(name), TextFunctions.utf8(Alphabet.fold(value)));
            String domain = domains.pick(stream, room - 1 - SHORTEST_LOCAL_PART);
            if (domain == null) {
                return new Pseudonym(false).apply(random, value);
            }
            return local(stream, room - 1 - domain.length()) + "@" + domain;
        }

        private String local(RandomStream stream, int room) {
            int digits = Math.min(3, Math.max(0, room - 6));
            String number = digits == 0 ? "" : Long.toString(stream.below((long) Math.pow(10, digits)));
            String first = Dictionary.FIRST_NAMES.pick(stream, room - number.length());
            if (first == null) {
                return TextFunction.letters(stream, Math.min(room, 12));
            }
            String last = Dictionary.LAST_NAMES.pick(stream, room - number.length() - first.length() - 1);
            String local = last == null ? first : first + "." + last;
            return local.toLowerCase(Locale.ROOT) + number;
        }

        @Override
        public String stranger(RandomStream stream) {
            return strangerEmail(stream);
        }
    }
}
