package dev.coppice.masking.function.text;

import dev.coppice.masking.crypto.PseudoRandom;
import dev.coppice.masking.crypto.RandomStream;
import java.util.Locale;

/** Numbers with check digits: what is valid stays valid, and distinct valid numbers stay distinct. */
public final class CheckedNumber {
    private static final long CREDIT_CARD = PseudoRandom.label("credit card");
    private static final long IBAN = PseudoRandom.label("iban");
    private static final long PHONE = PseudoRandom.label("phone");

    private CheckedNumber() {}

    /**
     * A card number: digits permuted, separators kept, the last digit such that the Luhn sum is as far from valid as before (so a
     * valid number stays valid, and no two numbers become one).
     */
    public record CreditCard() implements TextFunction {
        @Override
        public String apply(PseudoRandom random, String value) {
            int last = value.length() - 1;
            while (last >= 0 && !isDigit(value.charAt(last))) {
                last--;
            }
            if (last < 1) {
                return TextPseudonym.permute(random, CREDIT_CARD, value);
            }
            String masked = TextPseudonym.permute(random, CREDIT_CARD, value.substring(0, last));
            int error = Math.floorMod(value.charAt(last) - '0' - luhnDigit(value.substring(0, last)), 10);
            String rest = TextPseudonym.permute(random, CREDIT_CARD, value.substring(last + 1));
            return masked + (luhnDigit(masked) + error) % 10 + rest;
        }

        @Override
        public String stranger(RandomStream stream) {
            StringBuilder digits = new StringBuilder("4");
            while (digits.length() < 15) {
                digits.append(stream.below(10));
            }
            return digits.append(luhnDigit(digits.toString())).toString();
        }

        private static boolean isDigit(char letter) {
            return letter >= '0' && letter <= '9';
        }

        /** The digit that makes a number valid when it is appended. */
        public static int luhnDigit(String digits) {
            int sum = 0;
            boolean doubled = true;
            for (int i = digits.length() - 1; i >= 0; i--) {
                if (isDigit(digits.charAt(i))) {
                    int digit = (digits.charAt(i) - '0') * (doubled ? 2 : 1);
                    sum += digit > 9 ? digit - 9 : digit;
                    doubled = !doubled;
                }
            }
            return (10 - sum % 10) % 10;
        }
    }

    /** An IBAN: the account permuted (letters to letters, digits to digits), country and blanks kept, check digits computed. */
    public record Iban() implements TextFunction {
        private static final int MIN_LENGTH = 8;

        @Override
        public String apply(PseudoRandom random, String value) {
            if (value.length() < MIN_LENGTH
                    || value.length() > 50
                    || !value.chars()
                            .allMatch(letter -> Character.digit(letter, 36) >= 0 && letter < 0x80 || letter == ' ')
                    || value.substring(0, 4).indexOf(' ') >= 0
                    || !Character.isDigit(value.charAt(2))
                    || !Character.isDigit(value.charAt(3))) {
                return TextPseudonym.permute(random, IBAN, value);
            }
            String country = value.substring(0, 2);
            String account = TextPseudonym.permute(random, IBAN ^ label(country), value.substring(4));
            int check = check(country, account);
            int before = check(country, value.substring(4));
            int given = Integer.parseInt(value.substring(2, 4));
            if (given != before) {
                // Which of the wrong ones stays: so no wrong number becomes valid, or equal to another.
                int wrong = given < before ? given : given - 1;
                check = wrong < check ? wrong : wrong + 1;
            }
            return country + (check < 10 ? "0" : "") + check + account;
        }

        private static long label(String country) {
            return PseudoRandom.label(country.toUpperCase(Locale.ROOT));
        }

        /** ISO 7064 MOD 97-10. */
        public static int check(String country, String account) {
            int remainder = 0;
            for (char letter : (account + country + "00").toCharArray()) {
                if (letter != ' ') {
                    int digit = Character.digit(letter, 36);
                    remainder = (remainder * (digit > 9 ? 100 : 10) + digit) % 97;
                }
            }
            return 98 - remainder;
        }

        @Override
        public String stranger(RandomStream stream) {
            return "NL" + String.format(Locale.ROOT, "00%013d", stream.below(10_000_000_000_000L));
        }
    }

    /** A phone number: digits permuted, the format kept, and what begins with + keeps its first two digits. */
    public record Phone() implements TextFunction {
        private static final int KEPT_OF_INTERNATIONAL = 3;

        @Override
        public String apply(PseudoRandom random, String value) {
            boolean international = value.startsWith("+") && value.length() > KEPT_OF_INTERNATIONAL;
            String kept = international ? value.substring(0, KEPT_OF_INTERNATIONAL) : "";
            if (!kept.codePoints().allMatch(letter -> letter < 0x80)) {
                kept = "";
            }
            return kept
                    + TextPseudonym.permute(random, PHONE ^ PseudoRandom.label(kept), value.substring(kept.length()));
        }

        @Override
        public String stranger(RandomStream stream) {
            return "+1555" + String.format(Locale.ROOT, "%07d", stream.below(10_000_000L));
        }
    }
}
