package users

import (
	"strings"
	"unicode"

	"github.com/nbutton23/zxcvbn-go"
	"github.com/nbutton23/zxcvbn-go/matching"
)

const (
	scoredMax = 100 // characters of a password that are scored: the cost grows with their square
	scoreMin  = 2   // of zxcvbn's 0 to 4
)

// guessable reports whether a password, or what it repeats, or what its digits
// and signs stand for, is among the first that somebody would try.
//
// zxcvbn's own matcher for such spellings tries all combinations, which takes
// seconds for passwords made for that; two readings are enough here.
func guessable(password string, about []string) bool {
	runes := []rune(password)
	text := repeated(string(runes[:min(len(runes), scoredMax)]))
	known := words(append(about, "pochi"))
	one := strings.NewReplacer("4", "a", "@", "a", "8", "b", "(", "c", "3", "e", "6", "g", "9", "g", "1", "i", "!", "i",
		"|", "i", "0", "o", "5", "s", "$", "s", "7", "t", "+", "t", "2", "z")
	two := strings.NewReplacer("1", "l", "|", "l", "7", "l")
	for _, reading := range []string{text, one.Replace(text), one.Replace(two.Replace(text))} {
		if zxcvbn.PasswordStrength(reading, known, matching.FilterL33tMatcher).Score < scoreMin {
			return true
		}
	}
	return false
}

// repeated returns the shortest text that text is a repetition of.
func repeated(text string) string {
	if text == "" {
		return ""
	}
	period := 1 + strings.Index((text + text)[1:], text)
	return text[:period]
}

// words returns the texts and the words in them, in lower case.
func words(texts []string) []string {
	var out []string
	for _, text := range texts {
		text = strings.ToLower(text)
		out = append(out, text)
		out = append(out, strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	return out
}
