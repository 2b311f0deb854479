"""Functions of the home, of time and of messages. See `request_form.py` for the form."""

from families.request_form import CITY, kind

HOME = [
    kind("set_light light_switch lights lamp_control toggle_light illumination", "Switches the light of a room.|Turns lights on or off.|Controls the lamps.",
         {"room": "room room where place zone area", "on": "switch on state power is_on enabled"},
         """turn {on} the light in the {room}|switch the lamps in the {room} {on}|lights {on} in the {room}|turn the {room} light {on}|switch {on} every bulb in the {room}|the bulbs in the {room} should be {on}|
         make sure the ceiling lamp in the {room} is {on}|I want the lights of the {room} {on}|could the {room} lamps go {on}"""),
    kind("set_temperature heating set_heating warm_room climate_control thermostat adjust_thermostat", "Sets the temperature of a room.|Controls the heating.|Thermostat of a room.",
         {"room": "room room where area zone place", "degrees": "degrees degrees temperature celsius target value"},
         """set the {room} to {degrees} degrees|make the {room} {degrees} degrees|heat the {room} to {degrees}|I want {degrees} degrees in the {room}|the {room} should have {degrees} degrees|warm the {room} up to {degrees}|bring the {room} to {degrees}|
         it should be {degrees} in the {room}|I am freezing in the {room}, make it {degrees}|cool the {room} down to {degrees}|let it be {degrees} degrees warm in the {room}|{degrees} degrees for the {room}, please|keep the {room} at {degrees}"""),
    kind("start_vacuum vacuum clean_floor robot_cleaner sweep", "Sends the cleaning robot to a room.|Starts the vacuum cleaner.|Cleans a floor.", {"room": "room room area zone where place"},
         """vacuum the {room}|clean the {room}|the {room} is dusty|there are crumbs all over the {room}|get rid of the dirt in the {room}|I spilled flour in the {room}|sweep the {room}|hoover the {room}|the dog has left hair in the {room}|tidy the floor of the {room}|send the robot to the {room}"""),
    kind("lock_door lock set_lock secure_entrance lock_up", "Locks a door.|Closes the lock of an entrance.", {"door": "door door entrance lock which target"},
         """lock the {door}|is the {door} shut? If not, bolt it|make the {door} safe for the night|nobody should get in through the {door}|close and bolt the {door}|I forgot to turn the key in the {door}|secure the {door}|keep burglars out of the {door}|bolt the {door}"""),
    kind("set_blinds blinds shutters move_blinds curtain_position", "Moves the blinds of a room.|Sets how far the shutters are closed.", {"room": "room room window where area", "percent": "percent position percent level closed_percent value"},
         """close the blinds in the {room} to {percent} percent|lower the shutters of the {room} to {percent}%|curtains in the {room} at {percent} percent|the sun blinds me in the {room}, {percent} percent shade please|shade the {room} by {percent} percent|
         cover {percent}% of the windows in the {room}|pull the curtains of the {room} to {percent} percent|roll down what hangs before the {room} window to {percent}%"""),
    kind("set_timer timer start_timer countdown kitchen_timer", "Starts a timer.|Counts down some minutes.", {"minutes": "minutes minutes duration time length mins"},
         """set a timer for {minutes} minutes|start a {minutes} minute timer|count down from {minutes} minutes|my eggs need {minutes} minutes|ring after {minutes} minutes|the pasta has to boil for {minutes} minutes|tell me when {minutes} minutes are over|
         let me know once {minutes} minutes have gone by|beep in {minutes} minutes|the cake must come out in {minutes} minutes|I nap for {minutes} minutes, ring then|give me {minutes} minutes on the clock""", "clock"),
    kind("set_alarm alarm wake_up alarm_clock create_alarm", "Sets an alarm clock.|Wakes the user at a time.", {"time": "time time at when hour wake_time"},
         """wake me at {time}|set an alarm for {time}|I have to get up at {time}|get me out of bed at {time}|I must not sleep past {time}|ring at {time}|do not let me sleep longer than {time}|my night ends at {time}|make some noise at {time} so that I get up|alarm {time}""", "clock"),
    kind("set_reminder remind create_reminder reminder remember_task", "Creates a reminder.|Reminds the user of a task.", {"text": "text text what task message about", "time": "time time at when remind_at"},
         """remind me at {time} of "{text}"|I must not forget "{text}" at {time}|at {time}, tell me "{text}"|set a reminder "{text}" for {time}|"{text}" is what I should think of at {time}|nudge me at {time}: "{text}"|keep "{text}" in mind for me until {time}""", "clock"),
    kind("send_sms sms text_message send_text short_message", "Sends a text message to a phone number.|Writes an SMS.", {"phone": "phone number phone to phone_number recipient", "text": "text text message body content"},
         """text {phone} "{text}"|send "{text}" to {phone}|send an SMS to {phone}: "{text}"|let {phone} know "{text}"|"{text}" goes to {phone}|drop {phone} a line: "{text}"|write "{text}" to the number {phone}""", "post"),
    kind("send_email email mail write_mail compose_email", "Sends an email.|Writes a mail.", {"to": "email to recipient address email receiver", "subject": "title subject title topic re", "body": "text body text message content"},
         """send an email to {to} with the subject "{subject}" and the text "{body}"|email {to} about "{subject}" saying "{body}"|write to {to}, subject "{subject}", body "{body}"|tell {to} "{body}" under the heading "{subject}"|
         "{subject}" is the subject, "{body}" the text, {to} gets it|drop {to} a line with "{body}", headed "{subject}"|mail "{body}" to {to}, subject "{subject}" """, "post"),
    kind("call_contact call dial phone_call ring_up start_call", "Calls a person on the phone.|Starts a phone call.", {"name": "person name contact person who callee"},
         """call {name}|ring {name}|get {name} on the line|I want to talk to {name}|dial {name}|give {name} a ring|put me through to {name}|I have to speak with {name} right away|connect me with {name}|phone {name} now|let me hear {name}'s voice"""),
    kind("play_song play_track play_music song music_player", "Plays a song.|Plays a piece of music by its title.", {"song": "title song title track name piece"},
         """play the song "{song}"|I want to hear "{song}"|let me listen to "{song}"|my favorite tune is "{song}", start it|sing me "{song}" through the speakers|put "{song}" on the stereo|can we dance to "{song}"|the track "{song}", please|
         "{song}" would be nice to listen to""", "music"),
    kind("play_genre radio play_radio mood_music start_station", "Plays music of a genre.|Starts a radio station by style.", {"genre": "genre genre style mood station kind"},
         """put on some {genre}|I am in the mood for {genre}|play {genre}|fill the house with {genre}|let us have a {genre} evening|give me {genre} through the speakers|something {genre} while I cook|I would like to listen to {genre}|a bit of {genre} in the background""", "music"),
    kind("watch_movie play_movie start_film stream_video movie", "Starts a film.|Shows a movie on the screen.", {"title": "title title film movie name video"},
         """I want to watch "{title}"|show "{title}" on the big screen|start the film "{title}"|we want to see "{title}" tonight, start it|stream "{title}"|let the movie "{title}" begin|popcorn is ready, start "{title}"|put "{title}" on the television"""),
    kind("set_volume volume loudness sound_level adjust_volume", "Sets the volume of a device.|Makes a device louder or quieter.", {"device": "device device what target player", "level": "percent level volume percent value loudness"},
         """set the {device} to volume {level}|make the {device} louder, {level} percent|turn the {device} down to {level}|I can hardly hear the {device}, put it at {level}|the {device} is too quiet, {level} please|{level} percent sound on the {device}|
         the neighbors complain about the {device}, go down to {level}|crank the {device} up to {level}"""),
    kind("energy_usage power_consumption get_energy electricity_meter watt_hours", "Says how much electricity a device uses.|Energy use of a device.", {"device": "device device appliance plug what name"},
         """how much electricity does the {device} use|how much power does the {device} draw|is the {device} eating up my money|what does the {device} add to my power bill|how many watts go into the {device}|show the consumption of the {device}|how hungry for current is the {device}|is the {device} wasteful"""),
    kind("preheat_oven oven set_oven bake_at", "Heats up the oven.|Sets the oven to a temperature.", {"degrees": "degrees degrees temperature heat celsius target"},
         """preheat the oven to {degrees} degrees|I am about to bake at {degrees} degrees|the pizza needs {degrees} degrees|get the stove ready for bread at {degrees}|my cake bakes at {degrees} degrees|heat up for the roast, {degrees} degrees|
         the casserole goes in at {degrees} degrees"""),
    kind("make_coffee brew coffee_machine espresso brew_coffee", "Makes coffee.|Starts the coffee machine.", {"cups": "few cups count number servings", "strength": "enum:mild,medium,strong strength strength taste roast"},
         """make {cups} cups of {strength} coffee|I need caffeine: {cups} cups, {strength}|{strength} coffee for {cups}, please|brew {cups} {strength} ones|we are {cups} and all tired, a {strength} brew please|pour us {cups} {strength} espressos|{cups} mugs of black stuff, {strength}"""),
    kind("start_washing washing_machine wash laundry run_washer", "Starts the washing machine.|Washes a load of laundry.", {"program": "enum:cotton,wool,quick,delicate program program mode fabric", "kilos": "few kilos load kilos weight kg"},
         """start the washing machine, program {program}, load {kilos} kg|{kilos} kilos of dirty shirts, {program} cycle|do the laundry: {program}, {kilos} kg|my clothes stink, run {program} for {kilos} kg|put {kilos} kg through the {program} cycle|
         get {kilos} kilos of towels clean with {program}|the baskets hold {kilos} kg, use {program}"""),
    kind("water_garden sprinkler irrigation start_sprinkler watering", "Waters a part of the garden.|Runs the sprinkler.", {"zone": "plant zone area bed plants where", "minutes": "minutes minutes duration time length"},
         """water the {zone} for {minutes} minutes|the {zone} is thirsty, give it {minutes} minutes|run the sprinkler on the {zone} for {minutes} minutes|{minutes} minutes of water for the {zone}|let it rain on the {zone} for {minutes} minutes|the soil around the {zone} is dry, {minutes} minutes should do"""),
    kind("show_camera camera security_camera live_view surveillance", "Shows the picture of a security camera.|Live view of a place.", {"place": "door camera place where location which"},
         """show me the camera at the {place}|who is standing at the {place}|let me see what is going on at the {place}|I heard something near the {place}|is somebody at the {place}|have a look at the {place}|I want to watch the {place}|is the {place} quiet or is there a stranger"""),
    kind("take_note note save_note write_down memo", "Saves a note.|Writes something down.", {"text": "text text note content body memo"},
         """note "{text}"|write down "{text}"|keep "{text}" for later|put "{text}" on paper for me|I just had a thought: "{text}". Save it|save "{text}"|jot down "{text}"|do not let this get lost: "{text}"|memo: "{text}" """),
    kind("get_time local_time clock time_in current_time", "Gets the current time in a city.|Local time of a place.", {"city": CITY},
         """what time is it in {city}|what is the time in {city} now|=current time in {city}|tell me the local time in {city}|how late is it in {city}|is it morning or evening in {city}|are people in {city} asleep now|can I call {city} now or is it night there|what does the clock say in {city}|is it midnight yet in {city}"""),
]  # fmt: skip
