"""Rarer ways to ask for something about a file, put together from parts: `<one|other>` is one of them.

`{c}` is a column of numbers, `{k}` the column that names a row, `{n}` such a name, `{w}` a column of few values and `{v}` one of them, `{a}` what the
table is about, `{f}` the file, `{o}` the file to write, `{in}` where the table is.
"""

ALL = "<the|all the|all|every|each>"
GIVE = "<give me|tell me|show me|I need|I want to know|find|find out|work out|compute|calculate|determine|let me know|please tell me>"
WRITE = "<write|save|store|put|keep|export|dump|hand me>"
AS = "<as|into|in|to|under the name|in a file called|to the file>"

WIDE = {
    "sum": [
        f"<what|how much> <is|are|would be|makes|make|are all of> {ALL} {{c}} <together|in total|in all|combined|taken together|altogether|summed up|put together|as a sum> {{in}}",
        f"<sum|add|tally|count|total|reckon> <up|together> {ALL} {{c}}<| values| figures| numbers| cells| entries> {{in}}",
        f"{GIVE} the <sum|total|grand total|overall total|complete sum|total amount> <of|over|for> <all |the |>{{c}}<| values| column> {{in}}",
        f"<what|which> <sum|total|number> do <the|all the|all> {{c}} <give|make|reach|amount to|come to|lead to> {{in}}",
        f"<what|how much> do <the|all the|all> {{c}}<| values| figures| numbers> <come to|amount to|total|make together|add up to|yield> {{in}}",
        "<the|a> <sum|total|grand total> <of|over> <the|all> {c}<| please| is what I need> {in}",
        "{in}, <what|how much> <is|are> <the|all> {c} <in total|together|altogether>",
    ],
    "average": [
        f"{GIVE} the <mean|average|arithmetic mean|average value|mean value> <of|for|over> <the |all |>{{c}}<| values| column| figures> {{in}}",
        "<what|which|how much|how many> {c} <do they have|does one have|is there|are there|falls to each|does a {k} have|per {k}> <on average|in the mean|as a mean|typically> {in}",
        "<what|how high|how large> <is|are> <the|an average|a typical|a mean> {c}<| on average| in the mean| normally> {in}",
        "<average|mean> <over|of|for> <the|all|all the> {c}<| please> {in}",
        "<take|build|form|make> the <mean|average> <of|over> <the|all> {c} {in}",
        "{in}, <what is|how high is|how much is> the <mean|average> <of the |of |>{c}",
    ],
    "most": [
        "<which|what> {k} <leads|is first|wins|is number one|is the leader|comes first|ranks first|is ahead|stands highest|is at the top|is best> <by|in|for|with its|according to the> {c} {in}",
        "<which|what> {k} <has|shows|gets|reaches|counts|holds|owns> the <highest|largest|biggest|top|greatest|maximal|best|top> {c}<| of all| value| number> {in}",
        f"{GIVE} the {{k}} <with the|that has the|of the|having the> <highest|largest|biggest|most|greatest|top|maximum> {{c}} {{in}}",
        "<who|which one|which of them|which {k}> <has|gets|holds|shows> <the most|most|the maximum of|more than all others> {c} {in}",
        "<rank|compare> <the|all> {k}s by {c}: <who|which one> <is first|is on top|wins|leads> {in}",
        "<for|at|with> which {k} is the {c} <at its highest|highest|largest|greatest|at the maximum> {in}",
    ],
    "least": [
        "<which|what> {k} <is last|comes last|is the lowest|ranks last|stands lowest|is at the bottom|is at the end> <by|in|for|with its|according to the> {c} {in}",
        "<which|what> {k} <has|shows|gets|reaches|counts|holds> the <lowest|smallest|least|minimal|fewest|tiniest> {c}<| of all| value| number> {in}",
        f"{GIVE} the {{k}} <with the|that has the|of the|having the> <lowest|smallest|fewest|minimum|least> {{c}} {{in}}",
        "<who|which one|which of them> <has|gets|holds|shows> <the least|the fewest|the minimum of|less than all others> {c} {in}",
        "<for|at|with> which {k} is the {c} <at its lowest|lowest|smallest|at the minimum> {in}",
    ],
    "highest": [f"{GIVE} the <highest|largest|biggest|greatest|top|maximal|maximum> <{{c}}|value of {{c}}|{{c}} value|number in {{c}}> {{in}}", "<how high|how large|how much|what> is the <maximum|peak|top value|record|upper end> <of|for|in> {c} {in}"],
    "lowest": [f"{GIVE} the <lowest|smallest|least|minimal|minimum> <{{c}}|value of {{c}}|{{c}} value|number in {{c}}> {{in}}", "<how low|how small|how much|what> is the <minimum|bottom value|lower end> <of|for|in> {c} {in}"],
    "rows": [
        "<how many|what number of> <rows|entries|records|lines|lines of data|items|data sets|{k}s|{a}> <are|stand|do I have|do we have|are listed|are there|can be found|are stored> {in}",
        "<how many|what number of> <rows|entries|records|items|{k}s|data lines> <does|has> {f} <have|contain|hold|list|store|comprise>",
        "<how long|how large|how big> is <the table|the list|my table|the data> {in}", "<count|number> <all|the|all the> <rows|entries|records|{k}s|lines> {in}",
        f"{GIVE} the <number|count|amount> of <rows|entries|records|{{k}}s|data rows> {{in}}",
    ],
    "value": [
        "<what|which|how much> {c} <stands|is written|is listed|is noted|is given|is recorded|is entered|belongs|goes> <for|beside|with|by|to|under|behind> {n} {in}",
        f"{GIVE} <the|what the> {{c}} <for|of|that belongs to|beside|at|in the row of|given for|listed for> <{{n}}|the {{k}} {{n}}> {{in}}",
        "<look up|check|read out|search|fetch|get> <the |>{c} <for|of|at|in the row of> <{n}|the {k} {n}> {in}",
        "<what is|what are|how much is|how many are|how high is> <{n}'s {c}|the {c} of {n}|the {c} for {n}|the {c} at {n}> {in}", "{n}: <what|which|how much> {c}<| is it| does it have| is given> {in}",
        "<how much|how many|what|which> {c} <has|does> {n} <have|get|show|count>< |> {in}", "{in}, <what|how much> <is|are> the {c} of {n}",
    ],
    "list": [f"{GIVE} <all|every|the names of the|a list of the|the list of> {{k}}<s|s there are> {{in}}", "<which|what> {k}s <occur|exist|appear|are listed|are named|can be found> {in}"],
    "columns": [f"{GIVE} <the|all|the names of the|a list of the> <columns|column names|fields|headings> {{in}}", "<which|what> <columns|fields|headings|properties> <exist|appear|are listed|does it have|do the rows have|can be found> {in}"],
    "count": [
        "<how many|what number of> <rows|entries|{k}s|{a}|of them> <have|show|are listed with|are given with|come with|belong to> <{w} {v}|the {w} {v}|{v} as {w}|{v} as the {w}> {in}",
        "<how often|how many times> <does|do we see> {v} <appear|occur|stand|come up|show up><| as {w}| under {w}| in {w}> {in}", f"{GIVE} the <number|count> of <rows|entries|{{k}}s|{{a}}> <with|whose|where the> {{w}} <{{v}}|is {{v}}|equal to {{v}}> {{in}}",
        "<count|tally> <all|the|every> <rows|entries|{k}s> <with|having|of> <the |>{w} {v} {in}",
    ],
    "group": [
        f"{GIVE} the <sum|total> of <the |all |>{{c}} <for|of|where> <{{w}} {{v}}|the {{w}} {{v}}|{{w}} equal to {{v}}> {{in}}", "<what|how much> <do|does> <the |all |>{c} <with|for|of> <{w} {v}|the {w} {v}> <come to|make|add up to|amount to><| together> {in}",
        "<sum|add|total> up <the |all |>{c} <only |>for <{w} {v}|the {w} {v}|{v}> {in}", "<how much|how many> {c} <has|have|belong to|fall to|go to> <{v}|the {w} {v}><| in total| together| altogether> {in}",
    ],
    "sorted": [
        f"<sort|order|arrange|reorder|rank|put in order> <the rows of {{f}}|{{f}}|the table|all rows|the entries> <by|after|according to|on> <the |>{{c}}<| from low to high| ascending| upwards| rising| from the smallest up| from small to large> and {WRITE} <it|them|that|the result> {AS} {{o}}",
        f"{WRITE} <{{f}}|the table|the rows|all rows|the data> <sorted|ordered|arranged|ranked> <by|after|according to> <the |>{{c}}<| from low to high| ascending| upwards| with the lowest on top> {AS} {{o}}",
        "<I want|I need|I would like|make me|make|build|create|produce> <a file |>{o} <with|holding|that has|containing> <the rows|all rows|the entries|everything> <of {f}|in {f}|from the table> <sorted by|in order of|ordered by|ranked by|arranged by> <the |>{c}",
        "<sort|order|arrange|rank> <{f}|the table|the rows> <by|on|after> {c}, <lowest first|from low to high|the low ones first|ascending|rising>, <into|to|as|and name it|and call it> {o}",
    ],
    "filtered": [
        f"{WRITE} <only|just> the <rows|entries|lines|{{a}}> <with|whose|where the|of> {{w}} <{{v}}|is {{v}}|equal to {{v}}> {AS} {{o}}", "<I want|I need|make|build|create|produce> <a file |>{o} with <only the|just the|all> <rows|entries> <of|with|for> <the |>{w} {v}",
        "<throw out|drop|leave out> <all rows|everything> <but|except|besides> {w} {v} and <save it as|write it to|name the file> {o}",
    ],
    "json": [f"<convert|change|turn|transform|translate> <{{f}}|the table|the data|the rows> <to|into> <JSON|a JSON file|the JSON format> and {WRITE} it {AS} {{o}}", f"{WRITE} <{{f}}|the rows|the table|everything> <as JSON|in JSON form|in the JSON format> {AS} {{o}}", "<make|create|build|produce> <the JSON |a JSON |>file {o} <from|of|out of|with> <{f}|the table|the rows>"],
    "chart": [
        "<draw|paint|show|plot|chart|render|sketch|picture|visualize> <the|all|all the> {c}<| column| values| figures> <of|in|from> {f} <as|in|with> <bars|a bar chart|columns|a diagram|a bar graph|a chart|a bar plot> <in|and save it as|into|called|named|and call it> {o}",
        "<I want|I need|I would like|make|make me|give me|build|create|produce|draw|paint> <a|some> <bar chart|bar graph|bar plot|diagram|chart|picture with bars|graphic|column chart|drawing> <{o} |called {o} |named {o} >of <the|all> {c} <of|in|from> {f}",
        "<I want|I need|I would like|make|make me|give me|build|create|produce|draw|paint> <a|some> <bar chart|bar graph|bar plot|diagram|chart|picture|graphic|column chart> of <the|all> {c}<| by {k}| for each {k}| per {k}> <as|in|into|called|and save it as|and name it> {o}",
        "<how do|how would> the {c} <of|in|from> {f} look as <bars|a bar chart|a chart|a diagram>? <Save|Draw|Put|Write> it <as|to|into> {o}", "<plot|chart|draw|graph> {c} <against|by|for each|over> {k} <in|into|to|as> {o}",
    ],
    "count the lines": ["<how many|what number of> lines <are|stand|do I find|can be found|do we have|are written> {in}", f"{GIVE} <how many lines {{n}} has|the number of lines {{in}}|the line count of {{n}}>", "<how many lines|what number of lines> <make up|form|belong to> {n}", "<count|number> <all|the|all the> lines <of {n}|{in}>", "how <long|many lines long> is {n}, <counted|measured> in lines"],
    "count the words": ["<how many|what number of> words <are|stand|do I find|can be found|do we have|are written> {in}", f"{GIVE} <how many words {{n}} has|the number of words {{in}}|the word count of {{n}}|the amount of words {{in}}>", "<how many words|what number of words> <make up|form|belong to> {n}", "<count|number> <all|the|all the> words <of {n}|{in}>", "how <long|many words long> is {n}, <counted|measured> in words", "<the|> <word count|count of words|number of words|total of words|words in total> <of|for> {n}"],
    "count the characters": ["<how many|what number of> <characters|signs|letters and signs> <are|stand|do I find|can be found> {in}", f"{GIVE} the <number|count|amount> of characters {{in}}", "<count|number> <all|the|all the> characters <of {n}|{in}>"],
    "write it in uppercase": [f"<turn|change|convert|put|set|bring> <{{n}}|the text|all of {{n}}|the letters of {{n}}> <to|into|in> <upper case|uppercase|capitals|capital letters|big letters> and {WRITE} <it|that|the result> {AS} {{o}}", f"{WRITE} <{{n}}|the text of {{n}}|a copy of {{n}}> <in|with> <upper case|uppercase|capitals|capital letters|big letters|only capitals> {AS} {{o}}", "<make|create|produce|I want|I need> <a file |>{o} <with|that has> <the text of {n}|{n}> in <upper case|capitals|capital letters>"],
    "sort the lines": [f"<put|bring|sort|arrange> <the|all|all the> lines <of {{n}} |{{in}} |>in <order|alphabetical order|the order of the alphabet> and {WRITE} them {AS} {{o}}", f"{WRITE} the lines <of {{n}}|{{in}}> <sorted|in order|ordered|in alphabetical order> {AS} {{o}}"],
    "write the numbers": [f"{WRITE} <all numbers|the numbers|the whole numbers|every number|the integers|each number> <from|between> {{a}} <to|up to|through|and|until> {{b}} {AS} {{o}}", "<I want|I need|I would like|make|create|produce|build|give me> <a file |a text file |>{o} <with|that has|containing|listing|of> <all numbers|the numbers|the whole numbers|every number|the integers> <from |>{a} <to|up to|through|until> {b}", "<numbers|integers|all numbers> <from |>{a} <to|up to|through> {b} <in|into|to|as> <the file |>{o}"],
}  # fmt: skip
